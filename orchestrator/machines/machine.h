// What a machine does, as far as a run of the loop depends on it: how fast it computes, copies and exchanges, and how
// much memory there is. A value: `wansweep probe` measures it (from_probe.h), machines/NAME.toml holds it
// (machine_file.h), and predict and choose read it. Nothing here was measured of a whole run.
//
// Every number has its spread and says where it comes from. GB are 10^9 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/enum_names.h"
#include "orchestrator/machines/measured.h"
#include "orchestrator/machines/play_doubt.h"
#include "schema/probe/record.h"
#include "schema/schedule.h"
#include "schema/setting_values.h"

namespace wansweep {

// Where a machine's numbers come from as a whole.
enum class MachineSource : uint8_t {
  probe,  // wansweep probe, on the machine itself
  facts,  // written by hand: each number's origin says from what
};
constexpr std::string_view name_of(MachineSource source) {
  switch (source) {
    case MachineSource::probe:
      return "probe";
    case MachineSource::facts:
      return "facts";
  }
  return {};
}

// What exchanges between ranks pass.
enum class Wire : uint8_t {
  own,     // NVLink, or the host's memory: copies of weights do not slow them down
  copies,  // the link over which weights come
};
constexpr std::string_view name_of(Wire wire) {
  switch (wire) {
    case Wire::own:
      return "own";
    case Wire::copies:
      return "copies";
  }
  return {};
}

// Measured with the worker's own model code at one shape, on all of its ranks at once, no weights moving. Seconds, each
// of the slowest rank. What the run's offload is does not matter to them.
struct BlockTimes {
  ProbeShape shape;
  Measured block;                 // a block's computing, its exchanges left out
  Measured block_rest;            // of the first block of a step's second forward, whose self-attention is done
  Measured block_with_exchanges;  // as the loop runs it, all weights on the device
  Measured block_rest_with_exchanges;
  Measured block_beside_copies;                 // as block and block_with_exchanges, while every rank copies weights in
  Measured block_with_exchanges_beside_copies;  // without a pause, over the link as the probe had it
  Measured step_beside_blocks;                  // of a step: embeddings, projections, scheduler, the host's work
};

// Rates that a block's time is worked out from where its shape was not measured. Interpolated over `rows`.
struct ComputeRate {
  Precision precision = Precision::bf16;  // fp32 or bf16
  int64_t rows = 0;                       // a matrix product's rows, or the queries of attention
  Measured tflops;
};
struct ComputeRates {
  std::vector<ComputeRate> products;   // of matrices, at the model's widths
  std::vector<ComputeRate> attention;  // heads of 128
  Measured elementwise_gb_per_second;  // read and written by what is neither
  Measured step_seconds;               // that a step takes beside computing: the host's work
};

// Of each of `ranks` ranks of a node that copy at once, for large pieces.
struct CopyRate {
  Way way = Way::in;
  HostMemory memory = HostMemory::pinned;
  int64_t ranks = 1;
  Beside beside = Beside::nothing;  // or exchange
  Measured gb_per_second;
};

// Of an all-to-all among `ranks` ranks of a node: seconds = latency + bytes that leave a rank / rate.
struct ExchangeRate {
  int64_t ranks = 2;
  Beside beside = Beside::nothing;  // or copies
  Measured latency;                 // seconds
  Measured gb_per_second;
};

// How copies, exchanges and computing get in each other's way.
struct Links {
  // The cpu backend's: copies and exchanges of a run take the wire that its own settings link_bandwidth and link
  // describe, and of what is below only latencies count. The rates are for runs whose link_bandwidth is 0.
  bool emulated = false;
  double link_bandwidth = 0;  // those settings of the probe: what block_with_exchanges was measured with
  LinkSharing link = LinkSharing::shared;
  Wire exchanges_take = Wire::own;
  Measured copy_latency;           // seconds that a copy takes beside its bytes
  Measured computing_lost_per_gb;  // seconds of a rank's computing that a GB copied beside it costs
  std::vector<CopyRate> copies;
  std::vector<ExchangeRate> exchanges;
};

struct Host {
  double memory_gib = 0;            // of a node; 0: not known
  Measured fill_gb_per_second;      // a node's ranks together, filling host stores
  Measured register_gb_per_second;  // the same, pinning them
};

struct Machine {
  std::string name;
  MachineSource source = MachineSource::facts;
  std::string measured_at;  // UTC, ISO 8601; of facts: when they were written down
  std::string measured_on;  // host name; of facts: what they are about
  std::string wansweep;     // version and revision of the probe; of facts: empty
  BackendKind backend = BackendKind::cuda;
  std::string card;  // "NVIDIA H100 PCIe", or the processor
  std::string driver;
  int64_t gpus_per_node = 1;  // of the cpu backend: ranks that the probe ran at most
  int64_t cores = 0;
  double device_memory_gib = 0;  // 0: not known
  double power_watts = 0;        // a card's limit; 0: not known
  ComputeRates compute;
  std::vector<BlockTimes> shapes;
  Links links;
  Host host;
  PlayDoubt play_doubt = measured_play_doubt();  // in no machine's file
};

}  // namespace wansweep
