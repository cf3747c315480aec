// Makes one copy of weights to the device: whole or in chunks; at once, or through the device's gate; from the host
// alone, or together with the other ranks of the node.
//
// Cooperative copies: each of N ranks that need the same piece copies 1/N of it over its own link, and then reads the
// rest from its peers' device memory, on a separate stream. So all N ranks must make the same copies in the same order,
// to slots of the same schedule.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/comm/communicator.h"
#include "worker/device/device.h"
#include "worker/trace/recorder.h"

namespace wansweep {

struct CopyOptions {
  int64_t chunk_bytes = 0;        // the largest chunk; 0: a piece is copied whole
  bool yields = false;            // each chunk waits at the gate while an exchange of this rank moves data
  Communicator* peers = nullptr;  // on StreamId::peers, among `sharers` ranks; null: no cooperative copies
  int sharers = 1;                // number of ranks that copy parts for each other
  int own = 0;                    // this rank's number among them
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
  bool awaited = false;  // nothing is computed until the piece has arrived, so it does not wait at the gate
};

// Only the rank's main thread calls a copier.
class Copier {
 public:
  Copier(Device& device, Recorder& recorder, const CopyOptions& options)
      : device_(device), recorder_(recorder), options_(options) {}

  // Enqueues the copy on the copy stream, with its trace rows (schema/trace_rows.h). The returned event is complete
  // when the whole piece has arrived.
  Event bring(const Copy& copy);
  // Like bring(), but without the peers: for pieces that the peers do not copy at this point.
  Event bring_alone(const Copy& copy);
  // Like bring(), but without trace rows for the copies over this rank's link: for spans of several pieces. Returns the
  // bytes copied.
  int64_t bring_in_span(const Copy& copy);
  // An event that is complete when all pieces brought so far have arrived.
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
