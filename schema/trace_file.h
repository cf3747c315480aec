// The per-rank trace: one HDF5 file, rank-NNNN.h5, written in SWMR mode with a flush a step.
//
// A reader sees every flushed step, whatever happened to the writer. All times are nanoseconds of the rank's monotonic
// clock; add the rank's clock offset to get rank 0's. Layout of format 2:
//   /spec         fixed string: the run spec as JSON, with origins
//   /schedule     fixed string: the schedule of copies as JSON (schema/schedule.h); older traces do not have it
//   /environment  fixed string: JSON of host, devices, link, topology, versions, git revision, Slurm ids
//   /steps /events /memory /clock   extensible tables of the rows in trace_rows.h
//   /nonfinite    the same; absent or empty: the worker did not count
//   /power        the same; absent or empty: the device does not report its power
//   /digest       extensible table of one fixed string (64): SHA-256 of the final latents; one row if the run finished
// In the file, each row also holds `row`, its number from 1 (0: never written), and a step's row also holds how many
// event and memory rows were written before it. The attribute `format` of the root group is 2.
//
// Format 1 has the same tables, with three differences: `swap` loads its first expert within step 1, `layerwise` does
// not record the loading of weights outside blocks, and a copy's row names the block that computed meanwhile
// (orchestrator/store/first_load.h corrects this as far as possible).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

inline constexpr int trace_format = 2;         // the format that is written
inline constexpr int oldest_trace_format = 1;  // the oldest format that is read

// A larger file is refused before it is read. The largest trace so far is less than a tenth of this.
inline constexpr int64_t most_trace_bytes = int64_t{16} << 30;

class TraceWriter {
 public:
  // Creates FILE. Throws Error(output), also when the file exists (attempts never overwrite). The three texts are JSON
  // documents; `schedule_json` may be empty.
  TraceWriter(const std::string& file, const std::string& spec_json, const std::string& environment_json,
              const std::string& schedule_json = "");
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  // Appends rows and flushes them: after it returns, a SIGKILL loses none of them. Throws Error(output).
  void append(const TraceRows& rows);
  void set_digest(const std::string& sha256_hex);
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct TraceFile {
  int format = trace_format;
  std::string spec_json;
  std::string environment_json;
  std::string schedule_json;  // empty when the trace has none
  std::string digest;         // empty when the run did not finish
  TraceRows rows;
};

// The size of `file` in bytes, if it may be a trace: a regular file of at most most_trace_bytes that begins with HDF5's
// signature. Throws bad_input otherwise. Reads nothing but the signature.
int64_t trace_bytes(const std::string& file);

// Reads everything that was flushed, also while a writer is at work or after it was killed. Throws bad_input naming the
// file when it is not a trace ("is not a wansweep trace: no /spec"), has a newer format, or has rows that contradict
// each other.
TraceFile read_trace(const std::string& file);

// Reads only the steps, to tell the progress of a run, also while its writer is at work. Throws as read_trace does.
std::vector<StepRow> read_trace_steps(const std::string& file);

// The version of the HDF5 library that reads and writes traces, such as "1.14.3".
std::string hdf5_version();

// "rank-0007.h5"
std::string trace_file_name(int rank);

}  // namespace wansweep
