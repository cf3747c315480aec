// probe.json, the record that one probe of a machine leaves behind: what it ran on, the shapes of the job, and how long
// each piece of the loop's work took. `wansweep-worker probe` writes it last, and atomically; the orchestrator makes a
// machine's file of it (orchestrator/machines/from_probe.h). It holds only what was measured, and nothing derived.
//
// Units: bytes, seconds, GB/s of 1e9 bytes. A sample's times have one value for each repeat, in the order of the
// repeats.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/run_plan.h"
#include "schema/setting_values.h"

namespace wansweep {

inline constexpr int probe_record_version = 2;
inline constexpr const char* probe_record_name = "probe.json";  // in the directory of the probe

enum class ProbeWhat : uint8_t {
  block_forward,         // one block of the model at the job's shape, without its exchanges
  block_rest,            // the first block of a step's second forward, which reuses self-attention
  block_with_exchanges,  // a block as the loop runs it, with its exchanges, all weights on the device; sizes: the
                         // number of exchange groups, which the warm-up chose or the job sets
  block_rest_with_exchanges,
  short_step,         // one step of the whole loop, a model of few blocks on the device; sizes: blocks
  attention,          // self-attention of a rank's heads; sizes: queries, keys, heads
  product,            // one of a block's matrix products; sizes: m, n, k
  elementwise,        // a gated sum over the rank's tokens; bytes: read and written
  copy_in,            // host to device; bytes of one rank
  copy_out,           // device to host
  exchange,           // all-to-all among the Ulysses ranks; bytes: that one rank sends to the others
  ring_pass,          // a rank sends to the next of its ring, and gets as much from the one before
  guidance_exchange,  // between the halves of the ranks that compute cond and uncond, both ways
  pin,                // host memory is made ready for copies: allocated, touched and registered
  fill,               // weights are read into allocated host memory, as before a run's first step
};
constexpr std::string_view name_of(ProbeWhat what) {
  switch (what) {
    case ProbeWhat::block_forward:
      return "block_forward";
    case ProbeWhat::block_rest:
      return "block_rest";
    case ProbeWhat::block_with_exchanges:
      return "block_with_exchanges";
    case ProbeWhat::block_rest_with_exchanges:
      return "block_rest_with_exchanges";
    case ProbeWhat::short_step:
      return "short_step";
    case ProbeWhat::attention:
      return "attention";
    case ProbeWhat::product:
      return "product";
    case ProbeWhat::elementwise:
      return "elementwise";
    case ProbeWhat::copy_in:
      return "copy_in";
    case ProbeWhat::copy_out:
      return "copy_out";
    case ProbeWhat::exchange:
      return "exchange";
    case ProbeWhat::ring_pass:
      return "ring_pass";
    case ProbeWhat::guidance_exchange:
      return "guidance_exchange";
    case ProbeWhat::pin:
      return "pin";
    case ProbeWhat::fill:
      return "fill";
  }
  return {};
}

// What else the same ranks did during a measurement.
enum class Beside : uint8_t { nothing, exchange, copies };
constexpr std::string_view name_of(Beside beside) {
  switch (beside) {
    case Beside::nothing:
      return "nothing";
    case Beside::exchange:
      return "exchange";
    case Beside::copies:
      return "copies";
  }
  return {};
}

// The sizes and settings that decide how long a block takes: two runs of the same shape take the same time for it.
struct ProbeShape {
  int64_t heads = 0, head_dim = 0, ffn_dim = 0;
  int64_t patch_values = 0, text_dim = 0, freq_dim = 0;  // decide the work outside blocks
  int64_t text_tokens = 0;
  int64_t tokens = 0;           // of the latents, over all ranks
  int64_t tokens_per_rank = 0;  // padding included
  int64_t heads_of_rank = 0;    // heads of the rank that attends with the most
  int ranks = 1, cfg = 1, ulysses = 1, ring = 1;
  bool guided = false;  // true: a step has two forwards
  GuidanceOrder order = GuidanceOrder::branch;
  Precision precision = Precision::fp32;  // fp32 or bf16, never automatic
  int64_t exchange_groups = 0;            // the setting; 0: the worker takes the number it finds fastest
  int64_t dim() const { return heads * head_dim; }
  bool operator==(const ProbeShape&) const = default;
};

ProbeShape probe_shape_of(const RunPlan& run);

// The machine that the probe ran on: the description of rank 0's node. Other nodes are taken to be like it.
struct ProbedMachine {
  BackendKind backend = BackendKind::cpu;
  std::optional<CommunicatorKind> communicator;  // what moves the exchanges; nullopt: one rank has none
  std::string device;                            // "NVIDIA H200"; for the cpu backend, the processor
  std::string driver;                            // version of its driver; empty: it has none, or it is not known
  std::string host;
  int gpus = 0;                 // GPUs of the node
  std::vector<int> node_ranks;  // number of the probe's ranks on each node
  int processors = 0;           // processors of the node that this job may use
  int64_t host_memory = 0;      // bytes of the node's memory that this job may use
  int64_t device_memory = 0;    // bytes, of one device
  std::optional<int64_t> power_limit_mw;
  bool share_device = false;  // true: several ranks used one GPU
  double link_bandwidth = 0;  // GB/s of the cpu backend's emulated link; 0: as fast as memory, or a real link
  LinkSharing link = LinkSharing::shared;  // who shares the emulated link
};

struct ProbeSample {
  ProbeWhat what = ProbeWhat::block_forward;
  std::optional<int> shape = {};      // index into ProbeRecord::shapes; nullopt: it has none
  int64_t bytes = 0;                  // bytes that one rank moves; 0: none
  double operations = 0;              // floating-point operations of one rank; 0: not counted
  std::array<int64_t, 3> sizes = {};  // see ProbeWhat
  int ranks = 1;                      // number of ranks that did the work at the same time
  Beside beside = Beside::nothing;
  std::optional<HostMemory> memory = {};  // kind of host memory that is pinned, or that copies (also copies beside) use
  std::vector<double> seconds = {};          // of the slowest of the ranks that did the work together
  std::vector<double> fastest_seconds = {};  // of the fastest; where ranks wait for each other, all take the same
  // Power and clock of rank 0's device at the end of the repeats; nullopt: the device does not tell.
  std::optional<int64_t> power_mw = {}, sm_clock_mhz = {};
};

// Something that the probe should have measured and did not, and why: "the time was over".
struct NotMeasured {
  ProbeWhat what = ProbeWhat::block_forward;
  std::string why;
};

struct ProbeRecord {
  std::string started_at, finished_at;  // ISO 8601, UTC
  std::string wansweep_version, git_revision;
  int ranks = 1;
  double seconds_allowed = 0;
  ProbedMachine machine;
  std::vector<ProbeShape> shapes;
  std::vector<ProbeSample> samples;
  std::vector<NotMeasured> not_measured;
};

// The record as JSON text, as in probe.json.
std::string probe_record_text(const ProbeRecord& record);

// Throws bad_input, with a line that begins with `name`, for text that is not a complete record of version 2. The line
// names the member that is missing, unknown, of the wrong kind or out of range. Every sample must have at least one
// value in `seconds` and as many in `fastest_seconds`, and all of them must be above 0.
ProbeRecord parse_probe_record(const std::string& text, const std::string& name);
ProbeRecord read_probe_record(const std::string& file);

}  // namespace wansweep
