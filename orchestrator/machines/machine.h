// What a machine does, as far as a run of the loop depends on it: how fast it computes, copies and exchanges, and how
// much memory there is. A value: `wansweep probe` measures it (from_probe.h), machines/NAME.toml holds it
// (machine_file.h), and predict and choose read it. None of its numbers comes from timing a whole run.
//
// Every Measured number has a spread and says where it comes from (measured.h). A GB is 10^9 bytes.
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

// Which link the exchanges between ranks go over.
enum class Wire : uint8_t {
  own,     // NVLink, or the host's memory: copies of weights do not slow exchanges down
  copies,  // the link over which weights are copied: exchanges and copies slow each other down
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

// How long one block takes at one shape, in seconds of the slowest rank. A probe measures these times with the worker's
// own model code, on all ranks of the shape at once. Weights are copied meanwhile only where a member's name ends in
// beside_copies. The times hold for every offload mode.
struct BlockTimes {
  ProbeShape shape;
  Measured block;                 // a block's computing, without its exchanges
  Measured share_of_fastest;      // the fastest rank's time for it, as a share of the slowest's
  Measured block_rest;            // the first block of a step's second forward, which reuses self-attention
  Measured block_with_exchanges;  // a block as the loop runs it, all weights on the device
  Measured block_rest_with_exchanges;
  // The same as block and block_with_exchanges, while every rank copies weights to its device without a pause, over the
  // link as the probe's settings describe it.
  Measured block_beside_copies;
  Measured block_with_exchanges_beside_copies;
  int64_t groups = 0;           // in how many groups of heads the probe's blocks exchanged; 0: not known
  Measured step_beside_blocks;  // what a step does outside blocks: embeddings, projections, scheduler, the host's work
};

// Rates of computing. They give a block's time where its shape was not measured; between two measured `rows`, the rate
// is interpolated (predict/block_work.h).
struct ComputeRate {
  Precision precision = Precision::bf16;  // fp32 or bf16
  int64_t rows = 0;                       // rows of the matrix product, or queries of attention
  Measured tflops;
};
struct ComputeRates {
  std::vector<ComputeRate> products;   // matrix products, at the model's widths
  std::vector<ComputeRate> attention;  // with heads of 128 values
  Measured elementwise_gb_per_second;  // bytes read and written by all other operations
  Measured step_seconds;               // what a step takes beside computing: the host's work
};

// How fast each rank copies large pieces while `ranks` ranks of a node copy at the same time.
struct CopyRate {
  Way way = Way::in;
  HostMemory memory = HostMemory::pinned;
  int64_t ranks = 1;
  Beside beside = Beside::nothing;  // what else the ranks do meanwhile: nothing or exchange
  Measured gb_per_second;
};

// How fast an all-to-all among `ranks` ranks of a node is: seconds = latency + bytes that leave a rank / rate.
struct ExchangeRate {
  int64_t ranks = 2;
  Beside beside = Beside::nothing;  // what else the ranks do meanwhile: nothing or copies
  Measured latency;                 // seconds
  Measured gb_per_second;
};

// How copies, exchanges and computing get in each other's way.
struct Links {
  // True for the cpu backend, whose link is emulated. The settings link_bandwidth and link of a run then say how fast
  // its copies and exchanges are, and only the latencies below are used. The rates below are used for runs whose
  // link_bandwidth is 0.
  bool emulated = false;
  double link_bandwidth = 0;  // this and `link`: the probe's settings, with which block_with_exchanges was measured
  LinkSharing link = LinkSharing::shared;
  Wire exchanges_take = Wire::own;
  Measured copy_latency;           // seconds that a copy takes however few its bytes are
  Measured computing_lost_per_gb;  // seconds that computing takes longer for each GB copied meanwhile
  std::vector<CopyRate> copies;
  std::vector<ExchangeRate> exchanges;
};

struct Host {
  double memory_gib = 0;            // of one node; 0: not known
  Measured fill_gb_per_second;      // all ranks of a node together, reading weights into host memory
  Measured register_gb_per_second;  // all ranks of a node together, pinning host memory
};

struct Machine {
  std::string name;
  MachineSource source = MachineSource::facts;
  std::string measured_at;  // UTC, ISO 8601; for source `facts`: when they were written down
  std::string measured_on;  // host name; for source `facts`: what they describe
  std::string wansweep;     // version and revision of the probe; for source `facts`: empty
  BackendKind backend = BackendKind::cuda;
  std::string card;  // "NVIDIA H100 PCIe", or the processor
  std::string driver;
  int64_t gpus_per_node = 1;  // for the cpu backend: the most ranks that the probe ran
  int64_t cores = 0;
  double device_memory_gib = 0;  // 0: not known
  double power_watts = 0;        // power limit of one card; 0: not known
  ComputeRates compute;
  std::vector<BlockTimes> shapes;
  Links links;
  Host host;
  PlayDoubt play_doubt;  // that of the backend (measured_play_doubt); not kept in the machine's file
};

}  // namespace wansweep
