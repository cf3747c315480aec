// A rank's trace. HDF5 itself is not under test, but a damaged file must not crash the reader.
#include "schema/trace_file.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const std::string file = fuzz::write_scratch("rank-0000.h5", fuzz::text_of(data, size));
  fuzz::accept_or_refuse([&] { read_trace(file); });
  return 0;
}
