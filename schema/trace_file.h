// The per-rank trace: one HDF5 file, rank-NNNN.h5, written in SWMR mode with a flush a step.
//
// A reader sees every flushed step, whatever happened to the writer. All times are nanoseconds of the rank's monotonic
// clock; add the rank's clock offset to get rank 0's. Layout of format 1:
//   /spec         fixed string: the run spec as JSON, with origins
//   /environment  fixed string: JSON of host, devices, link, topology, versions, git revision, Slurm ids
//   /steps /events /memory /clock   extensible tables of the rows below
//   /digest       extensible table of one fixed string (64): SHA-256 of the final latents, a row when the run finished
// In the file each row also holds `row`, its number from 1 (0: never written), and a step's row the numbers of event
// and memory rows that were there before it. The attribute `format` of the root group is 1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "schema/trace_rows.h"

namespace wansweep {

inline constexpr int trace_format = 1;

class TraceWriter {
 public:
  // Creates FILE; an existing one is an error (attempts never overwrite). Throws Error(output).
  TraceWriter(const std::string& file, const std::string& spec_json, const std::string& environment_json);
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
  std::string spec_json;
  std::string environment_json;
  std::string digest;  // empty: the run did not finish
  TraceRows rows;
};

// Reads all that was flushed, also while a writer is at work or after it was killed. Throws bad_input naming the file
// when it is not a trace ("is not a wansweep trace: no /spec"), of a newer format, or its rows contradict each other.
TraceFile read_trace(const std::string& file);

// "1.14.3": of the HDF5 library that reads and writes traces.
std::string hdf5_version();

// "rank-0007.h5"
std::string trace_file_name(int rank);

}  // namespace wansweep
