#include "schema/trace_file.h"

#include "fmt/format.h"
#include "schema/trace_layout.h"

namespace wansweep {

std::string hdf5_version() {
  const trace_layout::Library library;
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

std::string trace_file_name(int rank) { return fmt::format("rank-{:04}.h5", rank); }

}  // namespace wansweep
