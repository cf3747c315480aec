// The records that attempts and submissions leave behind. Others may write to them, so each input is tried as every one
// of them.
#include "orchestrator/sweep/attempt_folder.h"
#include "orchestrator/sweep/submission.h"
#include "orchestrator/sweep/sweep_directory.h"
#include "schema/completion.h"
#include "schema/probe/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const std::string_view bytes = fuzz::text_of(data, size);
  const std::string attempt = "attempts/r1-swap-shift12-00000000-1-a1";
  const std::string submission = "submissions/ws-00000000-00000001";
  for (const std::string& file : {attempt + "/completed.json", attempt + "/failure.json", attempt + "/attempt.json",
                                  attempt + "/state.json", std::string("sweep.json"), submission + "/intent.json",
                                  submission + "/outcome.json", submission + "/manifest"}) {
    fuzz::write_scratch(file, bytes);
  }
  const std::string sweep = fuzz::scratch_directory();
  fuzz::accept_or_refuse([&] { read_completion(sweep + "/" + attempt); });
  fuzz::accept_or_refuse([&] { read_failure(sweep + "/" + attempt); });
  fuzz::accept_or_refuse([&] { AttemptFolder{sweep}; });
  fuzz::accept_or_refuse([&] { read_sweep_record(sweep); });
  fuzz::accept_or_refuse([&] { read_sweep_specs(sweep); });
  fuzz::accept_or_refuse([&] { read_submissions(sweep); });
  fuzz::accept_or_refuse([&] { parse_probe_record(std::string(bytes), "probe.json"); });
  return 0;
}
