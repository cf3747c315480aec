# Becomes third_party/CMakeLists.txt of the source archive: builds the libraries that are more than headers.
if(NOT TARGET SQLite::SQLite3)
  add_library(wansweep_sqlite3 STATIC SQLiteCpp/sqlite3/sqlite3.c)
  target_include_directories(wansweep_sqlite3 SYSTEM PUBLIC SQLiteCpp/sqlite3)
  # The options of Debian's SQLite that wansweep's queries need.
  target_compile_definitions(wansweep_sqlite3 PRIVATE
    SQLITE_ENABLE_COLUMN_METADATA SQLITE_ENABLE_MATH_FUNCTIONS SQLITE_ENABLE_FTS5 SQLITE_ENABLE_RTREE)
  target_link_libraries(wansweep_sqlite3 PUBLIC Threads::Threads ${CMAKE_DL_LIBS} m)
  add_library(SQLite::SQLite3 ALIAS wansweep_sqlite3)
endif()
file(GLOB sources ${CMAKE_CURRENT_SOURCE_DIR}/SQLiteCpp/src/*.cpp)
add_library(SQLiteCpp STATIC ${sources})
target_include_directories(SQLiteCpp SYSTEM PUBLIC SQLiteCpp/include)
target_link_libraries(SQLiteCpp PUBLIC SQLite::SQLite3)
