// A sweep and a cluster's profile, both TOML.
#include "orchestrator/plan/matrix.h"
#include "slurm/profile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const std::string text(fuzz::text_of(data, size));
  fuzz::accept_or_refuse([&] { parse_sweep(text, "input"); });
  fuzz::accept_or_refuse([&] { parse_profile(text, "input"); });
  return 0;
}
