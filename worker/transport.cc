// The measurements do what the loop would do, on all ranks at once: an exchange alone and beside copies; a piece that
// each rank copies whole, and one that the ranks copy in parts. The slowest rank's times count, so that all ranks
// decide alike. The measurements use the workspace's device memory, which holds nothing yet.

#include "worker/transport.h"

#include <algorithm>
#include <functional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace wansweep {

namespace {

constexpr double turn_s = 0.03;  // approximate seconds of a measured copy
constexpr int turns = 3;         // repetitions, of which the fastest counts

struct Times {
  double plain_ms = 0;
  double other_ms = 0;
};

struct ExchangeTimes {
  double alone_ms = 0;
  double beside_ms = 0;
  double copy_rate = 0;  // bytes a second of one rank, when all ranks copy at once
};

class Measurement {
 public:
  Measurement(MpiWorld& world, const ModelContext& context, const CopyOptions& together)
      : world_(world),
        context_(context),
        recorder_(context.device, nullptr, TraceDetail::step),
        alone_(context.device, recorder_, {}),
        together_(context.device, recorder_, together),
        finish_(context.device) {
    const ActivationBytes room = activation_bytes(context.run.activations, context.plan());
    constexpr int64_t most = int64_t{64} << 20;
    bytes_ = std::min({room.wide, context.run.weights.largest_piece(), most});
    exchanged_ = std::min(bytes_, room.hidden) / world.ranks();
    host_ = context.device.allocate_host(bytes_, context.run.settings.host_memory, "weights to measure copies with");
    std::fill_n(host_.data(), bytes_, std::byte{0});
    fit_to_link();
  }

  // Measures an exchange of all ranks, alone and beside copies.
  ExchangeTimes exchange() {
    const double alone = fastest([&] { return seconds_of_exchange(); });
    const double copy = fastest([&] { return seconds_of([&] { alone_.bring_alone(piece()); }); });
    const int copies = 2 + static_cast<int>(std::min(alone / std::max(copy, 1e-6), 30.0));
    const double beside = fastest([&] {
      meet();
      for (int i = 0; i < copies; ++i) alone_.bring_alone(piece());
      return seconds_of_exchange();
    });
    return {alone * 1e3, beside * 1e3, static_cast<double>(bytes_) / copy};
  }

  // Measures a piece that each rank copies for itself, and one that the ranks copy together.
  Times bring() {
    const double alone = fastest([&] { return seconds_of([&] { alone_.bring_alone(piece()); }); });
    const double together = fastest([&] { return seconds_of([&] { together_.bring(piece()); }); });
    return {alone * 1e3, together * 1e3};
  }

 private:
  Copy piece() const { return {.device = context_.workspace.wide, .host = host_.data(), .bytes = bytes_, .place = {}}; }

  void meet() { world_.any(false); }

  double seconds_of(const std::function<void()>& work) {
    meet();
    const int64_t since = monotonic_ns();
    work();
    context_.device.synchronize();
    return world_.most(static_cast<double>(monotonic_ns() - since) / 1e9);
  }

  // The time of the exchange alone, without the copies beside it.
  double seconds_of_exchange() {
    std::vector<Exchange> exchanges;
    for (int peer = 0; peer < world_.ranks(); ++peer) {
      if (peer == world_.rank()) continue;
      exchanges.push_back({peer, context_.workspace.hidden + peer * exchanged_, exchanged_,
                           context_.workspace.normed + peer * exchanged_, exchanged_});
    }
    meet();
    const Event start = context_.device.record(StreamId::comm);
    context_.communicator->exchange(exchanges);
    const Event end = context_.device.record(StreamId::comm);
    context_.device.synchronize();
    return world_.most(static_cast<double>(context_.device.time_ns(end) - context_.device.time_ns(start)) / 1e9);
  }

  static double fastest(const std::function<double()>& measured) {
    double best = measured();
    for (int turn = 1; turn < turns; ++turn) best = std::min(best, measured());
    return best;
  }

  // On a slow link, fewer bytes are measured.
  void fit_to_link() {
    constexpr int64_t least = int64_t{64} << 10;
    const int64_t all = bytes_;
    for (bytes_ = std::min(all, least); bytes_ < all; bytes_ = std::min(all, 4 * bytes_)) {
      if (fastest([&] { return seconds_of([&] { alone_.bring_alone(piece()); }); }) > turn_s / 4) break;
    }
    exchanged_ = std::min(exchanged_, bytes_ / world_.ranks());
  }

  MpiWorld& world_;
  const ModelContext& context_;
  Recorder recorder_;
  Copier alone_, together_;
  int64_t bytes_ = 0;      // bytes of a copy
  int64_t exchanged_ = 0;  // bytes exchanged with each peer
  Buffer host_;
  FinishOnExit finish_;  // declared last: copies may be under way
};

std::string why_open(Choice choice) { return fmt::format("the setting is {}", name_of(choice)); }

// The ranks that may copy parts for each other, as far as the settings decide it before a measurement.
void open_peers(Transport& transport, MpiWorld& world, const Backend& backend, const RunSettings& settings) {
  if (settings.cooperative == Choice::off) return;
  if (!world.any(world.node_ranks() > 1)) {
    world.all_or_none([&] {
      if (settings.cooperative == Choice::automatic) return;
      throw bad_input(fmt::format(
          "cooperative is on, but each of the {} ranks is alone on its node; only ranks of one node can copy "
          "parts for each other",
          world.ranks()));
    });
    transport.cooperative_because = "every rank is alone on its node";
    return;
  }
  transport.peers = open_peer_communicator(backend, settings);
  transport.copies.peers = transport.peers.get();
  transport.copies.sharers = world.node_ranks();
  transport.copies.own = world.node_rank();
}

}  // namespace

Transport decide_transport(MpiWorld& world, const Backend& backend, const ModelContext& context, bool moves_weights,
                           double block_seconds) {
  const RunSettings& settings = context.run.settings;
  Transport transport;
  transport.yields_because = why_open(settings.yield_to_collectives);
  transport.cooperative_because = why_open(settings.cooperative);
  transport.copies.chunk_bytes = settings.chunk_bytes;
  if (!moves_weights || world.ranks() == 1) {
    const char* why = moves_weights ? "there is one rank" : "nothing is copied from the host while the loop runs";
    transport.yields_because = transport.cooperative_because = why;
    return transport;
  }
  open_peers(transport, world, backend, settings);
  bool yields = settings.yield_to_collectives == Choice::on;
  const bool open_cooperative = settings.cooperative == Choice::automatic && transport.peers;
  if (settings.yield_to_collectives == Choice::automatic || open_cooperative) {
    Measurement measurement(world, context, transport.copies);
    if (open_cooperative) {
      const Times times = measurement.bring();
      transport.cooperative_because =
          fmt::format("a piece took {:.3f} ms when each rank copied it whole, and {:.3f} ms in parts", times.plain_ms,
                      times.other_ms);
      if (!copies_cooperate(times.plain_ms, times.other_ms)) transport.copies.peers = nullptr;
    }
    if (settings.yield_to_collectives == Choice::automatic) {
      const ExchangeTimes times = measurement.exchange();
      const double copies = static_cast<double>(context.run.moved.median_step) / times.copy_rate;
      const double step = blocks_of_step(context.run, block_seconds);
      transport.yields_because = fmt::format(
          "an exchange took {:.3f} ms alone, and {:.3f} ms beside copies; "
          "a step's copies take {:.3g} s, and its blocks {:.3g} s",
          times.alone_ms, times.beside_ms, copies, step);
      yields = copies_yield(times.beside_ms / times.alone_ms, copies, step);
    }
  }
  if (transport.copies.peers == nullptr) transport.peers.reset();
  transport.copies.yields = yields;
  if (yields && settings.chunk_bytes == 0) transport.copies.chunk_bytes = chunk_where_copies_yield;
  context.communicator->set_closes_gate(yields);
  return transport;
}

std::string describe_json(const Transport& transport) {
  nlohmann::json json{{"chunk_bytes", transport.copies.chunk_bytes},
                      {"yields", transport.copies.yields},
                      {"yields_because", transport.yields_because},
                      {"cooperative", transport.peers != nullptr},
                      {"cooperative_because", transport.cooperative_because}};
  if (transport.peers) json["parts_over"] = name_of(transport.peers->kind());
  return json.dump();
}

std::string describe_text(const Transport& transport) {
  const CopyOptions& copies = transport.copies;
  return fmt::format("copies of weights: {}; yield to exchanges: {} ({}); cooperative: {} ({})",
                     copies.chunk_bytes > 0 ? fmt::format("chunks of {} bytes", copies.chunk_bytes) : "uncut",
                     copies.yields ? "yes" : "no", transport.yields_because,
                     transport.peers ? fmt::format("over {}", name_of(transport.peers->kind())) : "no",
                     transport.cooperative_because);
}

}  // namespace wansweep
