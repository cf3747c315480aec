// How one copy of weights to the device is made: whole or in chunks; at once, or behind the device's gate; from the
// host alone, or together with the other ranks of the node.
//
// Cooperative: each of N ranks that want the same piece brings 1/N of it over its own link, and then each reads from
// its peers' device memory what it lacks, on a stream of its own. So all of them must make the same copies in the same
// order, to slots of the same schedule.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/comm/communicator.h"
#include "worker/device/device.h"
#include "worker/trace/recorder.h"

namespace wansweep {

struct CopyOptions {
  int64_t chunk_bytes = 0;        // the largest copy; 0: a piece is copied whole
  bool yields = false;            // each chunk passes the gate: it waits while an exchange of this rank moves data
  Communicator* peers = nullptr;  // on StreamId::peers, among `sharers` ranks; null: nobody shares
  int sharers = 1;                // ranks that bring parts for each other
  int own = 0;                    // this one among them
};

// A range of a piece.
struct PieceRange {
  int64_t offset = 0;
  int64_t bytes = 0;  // may be 0: pieces are cut at multiples of 256 bytes
};
PieceRange part_of(int64_t bytes, int sharers, int index);

// A piece of weights on its way to the device.
struct Copy {
  std::byte* device = nullptr;
  const std::byte* host = nullptr;
  int64_t bytes = 0;
  Place place;
  bool awaited = false;  // nothing is computed until it is there: it does not wait at the gate
};

// The rank's main thread calls it.
class Copier {
 public:
  Copier(Device& device, Recorder& recorder, const CopyOptions& options)
      : device_(device), recorder_(recorder), options_(options) {}

  // Enqueues the copy on the copy stream, behind all that the stream waits for, with rows of its own (schema/
  // trace_rows.h). The event: all of the piece is there.
  Event bring(const Copy& copy);
  // The same, of this rank alone: for pieces that its peers do not bring now.
  Event bring_alone(const Copy& copy);
  // The same as bring() without rows for what passes this rank's link: for spans of several pieces. Its bytes.
  int64_t bring_in_span(const Copy& copy);
  // What was brought last, and all before it, is there.
  Event arrived();

 private:
  enum class Rows { each, none };
  void over_link(const Copy& copy, PieceRange part, Rows rows);
  void exchange_parts(const Copy& copy);
  PieceRange own_part(const Copy& copy) const;

  Device& device_;
  Recorder& recorder_;
  CopyOptions options_;
};

}  // namespace wansweep
