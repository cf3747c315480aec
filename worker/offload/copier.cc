#include "worker/offload/copier.h"

#include <algorithm>
#include <vector>

namespace wansweep {

namespace {

constexpr int64_t cut_at = 256;  // the alignment of copies

}  // namespace

PieceRange part_of(int64_t bytes, int sharers, int index) {
  const int64_t size = ((bytes + sharers - 1) / sharers + cut_at - 1) / cut_at * cut_at;
  const int64_t offset = std::min(bytes, index * size);
  return {offset, std::min(size, bytes - offset)};
}

Event Copier::bring(const Copy& copy) {
  over_link(copy, own_part(copy), Rows::each);
  exchange_parts(copy);
  return arrived();
}

Event Copier::bring_alone(const Copy& copy) {
  over_link(copy, {0, copy.bytes}, Rows::each);
  return device_.record(StreamId::copy);
}

int64_t Copier::bring_in_span(const Copy& copy) {
  over_link(copy, own_part(copy), Rows::none);
  exchange_parts(copy);
  return own_part(copy).bytes;
}

Event Copier::arrived() { return device_.record(options_.peers != nullptr ? StreamId::peers : StreamId::copy); }

PieceRange Copier::own_part(const Copy& copy) const {
  return options_.peers != nullptr ? part_of(copy.bytes, options_.sharers, options_.own) : PieceRange{0, copy.bytes};
}

void Copier::over_link(const Copy& copy, PieceRange part, Rows rows) {
  const int64_t chunk = options_.chunk_bytes > 0 ? options_.chunk_bytes : part.bytes;
  for (int64_t done = 0; done < part.bytes; done += chunk) {
    const int64_t bytes = std::min(chunk, part.bytes - done);
    const int64_t at = part.offset + done;
    if (options_.yields && !copy.awaited) device_.pass_gate(StreamId::copy);
    if (rows == Rows::none) {
      device_.copy_in(StreamId::copy, copy.device + at, copy.host + at, bytes);
      continue;
    }
    const Recorder::Span span = recorder_.begin(EventKind::h2d, StreamId::copy, copy.place);
    device_.copy_in(StreamId::copy, copy.device + at, copy.host + at, bytes);
    recorder_.end(span, bytes);
  }
}

// On every rank, its own part is in the slot before any rank reads that part. No slot is overwritten before all ranks
// have read it, because the stream waits for their reads before arrived() is complete.
void Copier::exchange_parts(const Copy& copy) {
  if (options_.peers == nullptr) return;
  device_.wait(StreamId::peers, device_.record(StreamId::copy));
  const PieceRange own = own_part(copy);
  std::vector<Exchange> exchanges;
  int64_t received = 0;
  for (int peer = 0; peer < options_.sharers; ++peer) {
    if (peer == options_.own) continue;
    const PieceRange theirs = part_of(copy.bytes, options_.sharers, peer);
    exchanges.push_back({peer, copy.device + own.offset, own.bytes, copy.device + theirs.offset, theirs.bytes});
    received += theirs.bytes;
  }
  const Recorder::Span span = recorder_.begin(EventKind::weight_parts, StreamId::peers, copy.place);
  options_.peers->exchange(exchanges);
  recorder_.end(span, received);
}

}  // namespace wansweep
