# A tree that may be moved as a whole: bin/ finds share/wansweep from its own place. Completion and the manual are what the
# program itself prints.
set(share share/wansweep)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/tools/engines/diffusers_run.py DESTINATION ${share}/tools/engines)
install(FILES ${PROJECT_SOURCE_DIR}/tools/engines/step_record.py DESTINATION ${share}/tools/engines)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/analysis ${PROJECT_SOURCE_DIR}/jobs DESTINATION ${share})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/slurm/ DESTINATION ${share}/slurm FILES_MATCHING PATTERN "*.toml"
        PATTERN "local-test.toml" EXCLUDE)
if(EXISTS ${PROJECT_SOURCE_DIR}/machines)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/machines/ DESTINATION ${share}/machines FILES_MATCHING PATTERN "*.toml")
endif()
# The tiny model without its weights, which are drawn: for `wansweep cluster check --job`.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tests/reference/tiny-wan2.2-t2v DESTINATION ${share}/models
        FILES_MATCHING PATTERN "*.json" PATTERN "*.index.json" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/MEASURED.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${share})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${share})
if(EXISTS ${WANSWEEP_BUNDLE}/licences)
  install(DIRECTORY ${WANSWEEP_BUNDLE}/licences DESTINATION ${share})
endif()
configure_file(${PROJECT_SOURCE_DIR}/tools/packaging/modulefile.in ${PROJECT_BINARY_DIR}/modulefile @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modulefile DESTINATION ${share}/modulefiles/wansweep RENAME ${PROJECT_VERSION})

if(WANSWEEP_BUILD_ORCHESTRATOR)
  install(TARGETS wansweep RUNTIME DESTINATION bin)
  set(manual ${PROJECT_BINARY_DIR}/manual)
  add_custom_command(
    OUTPUT ${manual}/wansweep.1 ${manual}/wansweep ${manual}/_wansweep
    COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
    COMMAND $<TARGET_FILE:wansweep> manual > ${manual}/wansweep.1
    COMMAND $<TARGET_FILE:wansweep> completion bash > ${manual}/wansweep
    COMMAND $<TARGET_FILE:wansweep> completion zsh > ${manual}/_wansweep
    DEPENDS wansweep
    VERBATIM)
  add_custom_target(wansweep_manual_files ALL DEPENDS ${manual}/wansweep.1)
  install(FILES ${manual}/wansweep.1 DESTINATION share/man/man1)
  install(FILES ${manual}/wansweep DESTINATION share/bash-completion/completions)
  install(FILES ${manual}/_wansweep DESTINATION share/zsh/site-functions)
endif()
if(WANSWEEP_BUILD_WORKER)
  install(TARGETS wansweep-worker RUNTIME DESTINATION bin)
endif()
