#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "schema/setting_values.h"
#include "tests/structure/source_tree.h"

namespace wansweep::test {
namespace {

// The floors, from the ground up. A folder may include itself and lower floors; folders of one floor may not include
// each other.
const std::map<std::string, int> floors{{"base", 0}, {"schema", 1}, {"slurm", 2}, {"worker", 2}, {"orchestrator", 3}};

std::vector<std::string> project_folders() {
  std::vector<std::string> folders;
  for (const auto& [folder, floor] : floors) folders.push_back(folder);
  return folders;
}

const std::map<std::string, SourceFile>& sources() {
  static const std::map<std::string, SourceFile> all = read_sources(project_folders());
  return all;
}

const std::map<std::string, SourceFile>& test_sources() {
  static const std::map<std::string, SourceFile> all = read_sources({"tests", "bench"});
  return all;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(Structure, IncludesPointDown) {
  ASSERT_GT(sources().size(), 100u);
  std::vector<std::string> up;
  for (const auto& [path, file] : sources()) {
    for (const std::string& name : includes_of(file)) {
      const std::string other = name.substr(0, name.find('/'));
      if (other == file.floor()) continue;
      const auto floor = floors.find(other);
      const bool is_test = other == "tests" || other == "bench";
      if (is_test || (floor != floors.end() && floor->second >= floors.at(file.floor())))
        up.push_back(path + " -> " + name);
    }
  }
  EXPECT_TRUE(up.empty()) << joined(up);
}

TEST(Structure, FoldersIncludeEachOtherInNoCircle) {
  const FolderGraph graph = folder_graph(sources());
  EXPECT_TRUE(graph.at("schema").contains("base")) << "includes are found at all";
  EXPECT_TRUE(folders_in_a_circle(graph).empty()) << joined(folders_in_a_circle(graph));
}

TEST(Structure, ACircleOfThreeFoldersIsFound) {
  const std::map<std::string, SourceFile> three{{"a/a.h", {"a/a.h", {"#include \"b/b.h\""}}},
                                                {"b/b.h", {"b/b.h", {"  #  include  \"c/c.h\"  // why"}}},
                                                {"c/c.h", {"c/c.h", {"#include \"a/a.h\"", "#include \"d/d.h\""}}},
                                                {"d/d.h", {"d/d.h", {"#include <a/a.h>"}}}};
  EXPECT_EQ(folders_in_a_circle(folder_graph(three)), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Structure, AFolderHasAtMostFortySources) {
  std::map<std::string, int> count;
  for (const auto* all : {&sources(), &test_sources()}) {
    for (const auto& [path, file] : *all) ++count[file.folder()];
  }
  for (const auto& [folder, files] : count) EXPECT_LE(files, 40) << folder;
}

TEST(Structure, ALongSourceOpensWithWhatItDoes) {
  std::vector<std::string> silent;
  for (const auto& [path, file] : sources()) {
    if (!path.ends_with(".cc") || file.lines.size() <= 150) continue;
    if (!file.lines.front().starts_with("//")) silent.push_back(path);
  }
  EXPECT_TRUE(silent.empty()) << joined(silent);
}

// Besides the folders of sources, those that mirror none.
TEST(Structure, EveryFolderSaysWhatIsInIt) {
  std::set<std::string> folders{"analysis",        "cmake",         "docs",          "jobs",         "machines",
                                "schema/sql",      "tests",         "tests/fuzz",    "tests/readme", "tests/end_to_end",
                                "tests/structure", "tests/support", "tests/slurm",   "tools",        "tools/container",
                                "tools/dist",      "tools/doxygen", "tools/engines", "tools/gpu",    "tools/packaging",
                                "tools/readme"};
  for (const auto& [path, file] : sources()) folders.insert(file.folder());
  std::vector<std::string> silent;
  for (const std::string& folder : folders) {
    const std::vector<std::string> lines = read_lines(folder + "/README.md");
    // A README has a title, an empty line, and at least one sentence; longer texts belong in docs/.
    if (lines.size() < 3 || lines.size() > 14 || lines[0] != "# " + folder || lines[2].empty())
      silent.push_back(folder);
  }
  EXPECT_TRUE(silent.empty()) << "README.md is missing, too long, or without its title:\n" << joined(silent);
}

TEST(Structure, EveryHeaderOpensWithWhatItIs) {
  std::vector<std::string> silent;
  for (const auto& [path, file] : sources()) {
    if (path.ends_with(".h") && !file.lines.front().starts_with("// ")) silent.push_back(path);
  }
  EXPECT_TRUE(silent.empty()) << joined(silent);
}

TEST(Structure, EveryQueryOpensWithItsQuestion) {
  const std::vector<std::string> queries = files_in("analysis", ".sql");
  EXPECT_GT(queries.size(), 20u);
  for (const std::string& path : queries) {
    const std::vector<std::string> lines = read_lines(path);
    ASSERT_GT(lines.size(), 2u) << path;
    EXPECT_TRUE(lines[0].starts_with("-- ") && lines[0].ends_with("?")) << path << ": " << lines[0];
    EXPECT_TRUE(lines[1].starts_with("-- ")) << path << ": says neither what a row is nor the units";
  }
}

// Two types of one name break the rule that a program has one definition of each; the linker says nothing about it.
TEST(Structure, NoTwoHeadersDefineATypeOfOneName) {
  const std::regex definition(R"(^(?:struct|class|enum class) (\w+)(?: final)?(?: :[^;]*)? \{.*)");
  std::map<std::string, std::string> first;  // path of the header that defines the type, by its name
  std::vector<std::string> twice;
  for (const auto& [path, file] : sources()) {
    if (!path.ends_with(".h")) continue;
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_match(line, match, definition)) continue;
      const auto [found, is_new] = first.emplace(match[1], path);
      if (!is_new) twice.push_back(match[1].str() + ": " + found->second + ", " + path);
    }
  }
  EXPECT_GT(first.size(), 150u) << "types are found at all";
  EXPECT_TRUE(twice.empty()) << joined(twice);
}

// A mode is an enum. Where code compares the text of its name, the compiler cannot find that place when a mode is
// added.
TEST(Structure, NoModeIsComparedByItsText) {
  std::string names;
  for (const std::string_view name : names_of<OffloadMode>()) names += (names.empty() ? "" : "|") + std::string(name);
  const std::regex comparison("([!=]=\\s*\"(" + names + ")\")|(\"(" + names + ")\"\\s*[!=]=)");
  std::vector<std::string> found;
  for (const auto& [path, file] : sources()) {
    for (const std::string& line : file.lines) {
      if (line.find('"') != std::string::npos && std::regex_search(line, comparison))
        found.push_back(path + ": " + line);
    }
  }
  EXPECT_TRUE(found.empty()) << joined(found);
}

// fmt::print throws when standard error is full or closed: in a handler, a destructor or a thread, that ends the
// program with a signal in place of its exit code.
TEST(Structure, StandardErrorIsWrittenByTheFunctionThatDoesNotThrow) {
  const std::regex direct(
      R"(print\(\s*stderr|^\s*stderr,|[?:] stderr,|std::cerr|std::clog|f?perror\(|fprintf\(|fputs\()");
  std::vector<std::string> found;
  for (const auto& [path, file] : sources()) {
    for (const std::string& line : file.lines) {
      if (std::regex_search(line, direct)) found.push_back(path + ": " + line);
    }
  }
  EXPECT_TRUE(found.empty()) << "use base/standard_error.h:\n" << joined(found);
}

TEST(Structure, EveryTestAssertsSomething) {
  const std::regex opening(R"(^(TEST|TEST_F|TEST_P)\()");
  const std::regex assertion(R"((EXPECT_|ASSERT_|ADD_FAILURE|FAIL\(|GTEST_SKIP|expect_\w+(<\w+>)?\())");
  std::vector<std::string> silent;
  for (const auto& [path, file] : test_sources()) {
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (!file.lines[i].starts_with("TEST") || !std::regex_search(file.lines[i], opening)) continue;
      bool asserts = false;
      size_t line = i;
      for (; line < file.lines.size() && file.lines[line] != "}"; ++line) {
        asserts |= std::regex_search(file.lines[line], assertion);
      }
      if (!asserts) silent.push_back(path + ": " + file.lines[i]);
      i = line;
    }
  }
  EXPECT_TRUE(silent.empty()) << joined(silent);
}

}  // namespace
}  // namespace wansweep::test
