// The per-rank trace: one HDF5 file, rank-NNNN.h5, written in SWMR mode with a flush a step.
//
// A reader sees every flushed step, whatever happened to the writer. All times are nanoseconds of the rank's monotonic
// clock; add the rank's clock offset to get rank 0's. Layout of format 2:
//   /spec         fixed string: the run spec as JSON, with origins
//   /schedule     fixed string: JSON of which copy goes where and when (schema/schedule.h); not there in older traces
//   /environment  fixed string: JSON of host, devices, link, topology, versions, git revision, Slurm ids
//   /steps /events /memory /clock   extensible tables of the rows in trace_rows.h
//   /nonfinite    the same; not there, or empty: the worker did not count
//   /power        the same; not there, or empty: the device does not tell
//   /digest       extensible table of one fixed string (64): SHA-256 of the final latents, a row when the run finished
// In the file each row also holds `row`, its number from 1 (0: never written), and a step's row the numbers of event
// and memory rows that were there before it. The attribute `format` of the root group is 2.
//
// Format 1 has the same tables, but in it `swap` loads its first expert within step 1, `layerwise` does not record what
// it loads outside of blocks, and a copy's row has the block that computed meanwhile (orchestrator/store/first_load.h
// makes the best of it).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schema/trace_rows.h"

namespace wansweep {

inline constexpr int trace_format = 2;         // that is written
inline constexpr int oldest_trace_format = 1;  // that is read

// A larger file is refused before it is read: no run of ours has written a tenth of it.
inline constexpr int64_t most_trace_bytes = int64_t{16} << 30;

class TraceWriter {
 public:
  // Creates FILE; an existing one is an error (attempts never overwrite). Throws Error(output).
  // `schedule_json` may be empty: there is none. Each is a JSON document.
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
  std::string schedule_json;  // empty: there is none
  std::string digest;         // empty: the run did not finish
  TraceRows rows;
};

// The size of a file that may be a trace: regular, of at most most_trace_bytes, and beginning as HDF5 does. Throws
// bad_input for any other, without reading more of it than that.
int64_t trace_bytes(const std::string& file);

// Reads all that was flushed, also while a writer is at work or after it was killed. Throws bad_input naming the file
// when it is not a trace ("is not a wansweep trace: no /spec"), of a newer format, or its rows contradict each other.
TraceFile read_trace(const std::string& file);

// The steps alone, for whoever asks how far a run is: also while its writer is at work. Throws as read_trace does.
std::vector<StepRow> read_trace_steps(const std::string& file);

// "1.14.3": of the HDF5 library that reads and writes traces.
std::string hdf5_version();

// "rank-0007.h5"
std::string trace_file_name(int rank);

}  // namespace wansweep
