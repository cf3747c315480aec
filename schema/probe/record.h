// What one probe of a machine leaves behind, probe.json: what it ran on, the shapes of the job, and how long each piece
// of the loop's work took. `wansweep-worker probe` writes it, last and atomically; the orchestrator makes a machine's
// file of it (orchestrator/machines/from_probe.h). It holds what was measured and nothing that follows from it.
//
// Units: bytes, seconds, GB/s of 1e9 bytes. A sample's `seconds` are those of the slowest of the ranks that did the
// work at the same time, one value a repeat, in the order in which they were made.
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

inline constexpr int probe_record_version = 1;
inline constexpr const char* probe_record_name = "probe.json";  // in the directory of the probe

enum class ProbeWhat : uint8_t {
  block_forward,         // one block of the model at the job's shape, its exchanges left out
  block_rest,            // the same of a step's second forward in its first block, which begins behind self-attention
  block_with_exchanges,  // a block as the loop runs it, with its exchanges, all weights on the device
  block_rest_with_exchanges,
  short_step,         // one step of the whole loop with a model of one block, all weights on the device
  attention,          // self-attention of a rank's heads; sizes: queries, keys, heads
  product,            // one of a block's matrix products; sizes: m, n, k
  elementwise,        // a gated sum over the rank's tokens; bytes: read and written
  copy_in,            // host to device; bytes of one rank
  copy_out,           // device to host
  exchange,           // all-to-all among the Ulysses ranks; bytes: that one rank sends to the others
  ring_pass,          // to the next member of the ring, as much as comes from the one before
  guidance_exchange,  // between the halves that make cond and uncond, each way
  pin,                // host memory made ready for copies: asked for, touched and registered
  fill,               // weights brought into host memory that is there, as the first load does
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

// What else the same ranks did meanwhile.
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

// What a rank computes on. Two runs of one such shape take the same time for a block.
struct ProbeShape {
  int64_t heads = 0, head_dim = 0, ffn_dim = 0;
  int64_t patch_values = 0, text_dim = 0, freq_dim = 0;  // decide what is done outside blocks
  int64_t text_tokens = 0;
  int64_t tokens = 0;           // of the latents
  int64_t tokens_per_rank = 0;  // with padding
  int64_t heads_of_rank = 0;    // the most that a rank attends with
  int ranks = 1, cfg = 1, ulysses = 1, ring = 1;
  bool guided = false;  // a step has two forwards
  GuidanceOrder order = GuidanceOrder::branch;
  Precision precision = Precision::fp32;  // never automatic
  int64_t exchange_groups = 0;            // as the settings have it: 0 is what the worker finds fastest
  int64_t dim() const { return heads * head_dim; }
  bool operator==(const ProbeShape&) const = default;
};

ProbeShape probe_shape_of(const RunPlan& run);

// What the probe ran on. Of rank 0's node, which the others are taken to be like.
struct ProbedMachine {
  BackendKind backend = BackendKind::cpu;
  std::optional<CommunicatorKind> communicator;  // what moves exchanges; nullopt: one rank has none
  std::string device;                            // "NVIDIA H200"; of the cpu backend, the processor
  std::string driver;                            // its version; empty: the device has none, or does not say
  std::string host;
  int gpus = 0;                 // that the node has
  std::vector<int> node_ranks;  // ranks of the probe on each node
  int processors = 0;           // that the node has for this job
  int64_t host_memory = 0;      // that the node has for this job; bytes
  int64_t device_memory = 0;    // of one device; bytes
  std::optional<int64_t> power_limit_mw;
  bool share_device = false;  // several ranks used one GPU
  double link_bandwidth = 0;  // GB/s of the cpu backend's emulated link; 0: as fast as memory, or a real link
  LinkSharing link = LinkSharing::shared;  // of the emulated link
};

struct ProbeSample {
  ProbeWhat what = ProbeWhat::block_forward;
  std::optional<int> shape = {};      // index into ProbeRecord::shapes; nullopt: it has none
  int64_t bytes = 0;                  // of one rank; 0: none are moved
  double operations = 0;              // floating-point, of one rank; 0: not counted
  std::array<int64_t, 3> sizes = {};  // see ProbeWhat
  int ranks = 1;                      // that did it at the same time
  Beside beside = Beside::nothing;
  std::optional<HostMemory> memory = {};  // of copies and of pinning
  std::vector<double> seconds = {};
  // Of rank 0's device at the end of the repeats; nullopt: it does not tell.
  std::optional<int64_t> power_mw = {}, sm_clock_mhz = {};
};

// What the probe was to measure and has not, and why: "the time was over", "the device has no room for it".
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

// As JSON text.
std::string probe_record_text(const ProbeRecord& record);

// Throws bad_input, its line beginning with `name`, for text that is no whole record of version 1: a member that is
// missing, unknown, or not of its kind or range is named. Seconds are above 0, and every sample has at least one.
ProbeRecord parse_probe_record(const std::string& text, const std::string& name);
ProbeRecord read_probe_record(const std::string& file);

}  // namespace wansweep
