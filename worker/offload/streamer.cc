// All copies run on one stream, in the schedule's order. A transfer that starts with a use is enqueued when that use is
// about to begin, after a wait for the end of the use before it: the host may be a whole step ahead of the device, but
// copies never are. The readers of a slot wait, once, for the event after its last copy. copier.cc makes one copy.
//
// Consecutive blocking transfers are the switch of `swap`: one trace row for the copy out, one for the copy in, and one
// around both. The host waits for the switch's end, as SGLang's host does.

#include "worker/offload/streamer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace wansweep {

std::optional<HostStore> load_host_store(Device& device, const OffloadPlan& plan, const WeightSource& source) {
  if (!reads_host_in_loop(plan.schedule)) return std::nullopt;
  return HostStore(device, plan.bytes, plan.host_memory, source);
}

Streamer::Streamer(Device& device, Recorder& recorder, OffloadPlan plan, std::optional<HostStore> store)
    : device_(device),
      recorder_(recorder),
      plan_(std::move(plan)),
      copier_(device, recorder, plan_.copies),
      store_(std::move(store)),
      finish_(device) {
  const Schedule& schedule = plan_.schedule;
  const WeightBytes& bytes = plan_.bytes;
  blocks_ = {device.allocate(schedule.slots * bytes.block, fmt::format("{} block slots", schedule.slots)), bytes.block,
             std::vector<Event>(static_cast<size_t>(schedule.slots))};
  others_ = {device.allocate(schedule.other_slots * bytes.other, "weights outside blocks"), bytes.other,
             std::vector<Event>(static_cast<size_t>(schedule.other_slots))};
  if (!store_ || copies_out(schedule)) {
    const int64_t piece = bytes.largest_piece();
    ring_ = {device.allocate_host(host_ring_pieces * piece, plan_.host_memory, "buffers for copies"), piece,
             std::vector<Event>(host_ring_pieces)};
  }
}

void Streamer::load(const WeightSource& source) {
  const std::vector<Transfer>& transfers = plan_.schedule.transfers;
  for (; next_transfer_ < transfers.size(); ++next_transfer_) {
    const Transfer& transfer = transfers[next_transfer_];
    if (transfer.starts != before_loop) break;
    Event& arrived = slots_for(transfer).arrived[static_cast<size_t>(transfer.slot)];
    if (store_) {
      arrived = copier_.bring(copy_of(transfer, on_host(transfer)));
      continue;
    }
    device_.synchronize(ring_.last_copy[ring_.next]);
    Event& last_copy = ring_.last_copy[ring_.next];
    std::byte* host = take_from_ring();
    source.read(transfer.expert, transfer.block, host);
    // Each rank reads its source at its own pace, so there are no cooperative copies here.
    last_copy = arrived = copier_.bring_alone(copy_of(transfer, host));
  }
  device_.synchronize();
  for (Slots* slots : {&blocks_, &others_}) std::fill(slots->arrived.begin(), slots->arrived.end(), nullptr);
  if (!copies_out(plan_.schedule)) ring_ = Ring();
}

const std::byte* Streamer::other(int expert) {
  enqueue_for_next_use();
  const int32_t slot = plan_.schedule.other_slot[static_cast<size_t>(expert)];
  await(others_.arrived[static_cast<size_t>(slot)], {static_cast<int8_t>(expert), -1, -1});
  return others_.at(slot);
}

const std::byte* Streamer::acquire(const Use& use) {
  expect(use);
  enqueue_for_next_use();
  const int32_t slot = plan_.schedule.slot_of_use[static_cast<size_t>(next_use_)];
  await(blocks_.arrived[static_cast<size_t>(slot)], {use.expert, use.forward, use.block});
  return blocks_.at(slot);
}

void Streamer::release(const Use& use) {
  expect(use);
  ++next_use_;
  const std::vector<Transfer>& transfers = plan_.schedule.transfers;
  if (next_transfer_ < transfers.size() && transfers[next_transfer_].starts == next_use_) {
    before_next_use_ = device_.record(StreamId::compute);
  }
}

void Streamer::enqueue_for_next_use() {
  const std::vector<Transfer>& transfers = plan_.schedule.transfers;
  size_t end = next_transfer_;
  while (end < transfers.size() && transfers[end].starts <= next_use_) ++end;
  if (end == next_transfer_) return;
  device_.wait(StreamId::copy, std::exchange(before_next_use_, nullptr));
  if (transfers[next_transfer_].blocking) return switch_experts(end);
  for (; next_transfer_ < end; ++next_transfer_) {
    const Transfer& transfer = transfers[next_transfer_];
    Event& arrived = slots_for(transfer).arrived[static_cast<size_t>(transfer.slot)];
    device_.wait(StreamId::copy, arrived);  // peers may still read a piece that this rank has not waited for
    arrived = copier_.bring(copy_of(transfer, on_host(transfer)));
  }
}

// A piece that is needed by the use with which its copy starts is awaited: nothing is computed meanwhile.
Copy Streamer::copy_of(const Transfer& transfer, const std::byte* from) {
  const Slots& slots = slots_for(transfer);
  return {.device = slots.at(transfer.slot),
          .host = from,
          .bytes = slots.bytes,
          .place = {transfer.expert, -1, transfer.block},
          .awaited = transfer.blocking || (transfer.needed != no_use && transfer.needed <= transfer.starts)};
}

void Streamer::switch_experts(size_t end) {
  const std::vector<Transfer>& transfers = plan_.schedule.transfers;
  const Place arriving{transfers[end - 1].expert, -1, -1};
  const Recorder::Span whole = recorder_.begin(EventKind::switch_experts, StreamId::copy, arriving);
  int64_t bytes = 0;
  while (next_transfer_ < end) {
    const Transfer& first = transfers[next_transfer_];
    const EventKind kind = first.way == Way::in ? EventKind::h2d : EventKind::d2h;
    const Recorder::Span span = recorder_.begin(kind, StreamId::copy, {first.expert, -1, -1});
    int64_t moved = 0;
    for (; next_transfer_ < end && transfers[next_transfer_].way == first.way; ++next_transfer_) {
      const Transfer& transfer = transfers[next_transfer_];
      const Slots& slots = slots_for(transfer);
      if (transfer.way == Way::in) {
        moved += copier_.bring_in_span(copy_of(transfer, on_host(transfer)));
      } else {
        // Nobody reads what is copied out, since the host has kept the weights. So the copies of one stream may share
        // the buffers.
        device_.copy_out(StreamId::copy, take_from_ring(), slots.at(transfer.slot), slots.bytes);
        moved += slots.bytes;
      }
    }
    recorder_.end(span, moved);
    bytes += moved;
  }
  device_.wait(StreamId::copy, copier_.arrived());
  recorder_.end(whole, bytes);
  const Event there = device_.record(StreamId::copy);
  recorder_.wait(there, StallCause::weights, arriving);
  device_.synchronize(there);
}

std::byte* Streamer::take_from_ring() {
  std::byte* buffer = ring_.memory.data() + static_cast<int64_t>(ring_.next) * ring_.bytes;
  ring_.next = (ring_.next + 1) % ring_.last_copy.size();
  return buffer;
}

const std::byte* Streamer::on_host(const Transfer& transfer) const {
  return store_->piece(transfer.expert, transfer.block).data();
}

void Streamer::await(Event& arrived, Place place) {
  recorder_.wait(std::exchange(arrived, nullptr), StallCause::weights, place);
}

void Streamer::expect(const Use& use) const {
  const auto index = static_cast<size_t>(next_use_);
  if (index < plan_.uses.size() && plan_.uses[index] == use) return;
  throw Error(ExitCode::internal, fmt::format("offload: step {}, expert {}, forward {}, block {} is not use {} of the "
                                              "plan",
                                              use.step, use.expert + 1, use.forward, use.block, next_use_));
}

}  // namespace wansweep
