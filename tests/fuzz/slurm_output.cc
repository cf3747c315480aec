// What Slurm's commands print, or a site's replacements of them. A line about our job is read or kept as unread; it is
// never lost.
#include "slurm/array_ids.h"
#include "slurm/job_rows.h"
#include "slurm/node_list.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wansweep;
  const std::string text(fuzz::text_of(data, size));
  const std::vector<std::string> tokens{"ws-1f0c93ab-5e0d41c7"};
  const bool mentioned = ("\n" + text).find("\n" + tokens.front() + "|") != std::string::npos;
  fuzz::accept_or_refuse([&] {
    for (const JobRows& rows : {read_squeue(text, tokens), read_sacct(text, tokens)}) {
      const bool kept = !rows.members.empty() || !rows.whole_arrays.empty() || !rows.unread.empty();
      if (mentioned && !kept) std::abort();
    }
  });
  fuzz::accept_or_refuse([&] { read_sinfo(text); });
  fuzz::accept_or_refuse([&] {
    const std::optional<int64_t> id = read_sbatch(text);
    if (id && *id <= 0) std::abort();
  });
  fuzz::accept_or_refuse([&] {
    const std::optional<ArrayIds> ids = parse_array_ids(text);
    if (ids && ids->indices.size() > 16 * text.size() + 10'000'000) std::abort();
  });
  return 0;
}
