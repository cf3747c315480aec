#include "orchestrator/sweep/attempt_outcome.h"

#include "base/error.h"
#include "schema/completion.h"

namespace wansweep {
namespace {

std::optional<AttemptEnd> outcome_by_record(AttemptEnd otherwise, RecordWord record) {
  switch (record) {
    case RecordWord::whole:
      return AttemptEnd::completed;
    case RecordWord::absent:
    case RecordWord::wrong:
      return otherwise;
    case RecordWord::unreadable:
      break;
  }
  return std::nullopt;
}

}  // namespace

RecordWitness read_record(const std::string& directory) {
  try {
    const std::optional<Completion> completion = read_completion(directory);
    if (!completion) return {RecordWord::absent, "completed.json is missing"};
    const std::optional<std::string> problem = verify_completion(directory, *completion);
    return problem ? RecordWitness{RecordWord::wrong, *problem} : RecordWitness{RecordWord::whole, ""};
  } catch (const Error& error) {
    return {RecordWord::unreadable, error.what()};
  }
}

std::optional<AttemptEnd> outcome_of(const LauncherWitness& launcher, RecordWord record) {
  switch (launcher.word) {
    case LauncherWord::exit_zero:
      return outcome_by_record(AttemptEnd::failed, record);
    case LauncherWord::exit_other:
      return AttemptEnd::failed;
    case LauncherWord::struck:
    case LauncherWord::none:
      return outcome_by_record(launcher.struck_as, record);
  }
  return std::nullopt;
}

std::optional<std::string> completion_problem(const std::string& directory) {
  const RecordWitness record = read_record(directory);
  return record.word == RecordWord::whole ? std::nullopt : std::optional(record.line);
}

}  // namespace wansweep
