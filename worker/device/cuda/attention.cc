// A shape's graph is built once, when it first comes. cuDNN lists plans, its best guess first; large shapes try some on
// the true operands, and the fastest one's name goes to the cache, so that every rank and every later run takes the
// same plan and gets the same bits. Without a cache file nothing is tried, since processes would not agree.
// Plans that may sum in another order from run to run are left out. A plan that the cache names and cuDNN no longer has
// is an error: another in its place would change results without a word.
// The workspace is shared and only grows; before it is replaced, the stream must have done with the old one.

#include "worker/device/cuda/attention.h"

#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "worker/device/cuda/cuda_check.h"
#include "worker/device/cuda/fastest.h"

namespace wansweep {

namespace {

namespace fe = cudnn_frontend;

constexpr size_t most_candidates = 8;
constexpr int64_t most_workspace = int64_t{32} << 20;  // of a plan that is not the first
// Smaller ones take microseconds whatever is chosen: the library's first guess will do.
constexpr double worth_trying = 1e10;

enum Uid : int64_t { uid_q = 1, uid_k, uid_v, uid_out, uid_lse };

std::string describe(const AttentionShape& s) {
  return fmt::format("{} x {} rows, {} heads x {}, strides {} {} {}{}", s.q_rows, s.kv_rows, s.heads, s.head_dim,
                     s.q_stride, s.k_stride, s.v_stride, s.lse ? ", with log-sum-exp" : "");
}

void check(fe::error_t error, const AttentionShape& shape) {
  if (error.is_good()) return;
  throw Error(ExitCode::internal, fmt::format("cuDNN attention of {}: {}", describe(shape), error.get_message()));
}

// [rows, heads, head_dim] in memory is [1, heads, rows, head_dim] to cuDNN.
fe::graph::Tensor_attributes rows_of(const AttentionShape& s, const char* name, Uid uid, int64_t rows, int64_t stride) {
  fe::graph::Tensor_attributes tensor;
  tensor.set_name(name)
      .set_uid(uid)
      .set_dim({1, s.heads, rows, s.head_dim})
      .set_stride({rows * stride, s.head_dim, stride, 1})
      .set_data_type(fe::DataType_t::BFLOAT16);
  return tensor;
}

}  // namespace

struct Attention::Plan {
  fe::graph::Graph graph;
  int64_t index = 0;  // among the graph's execution plans
};

Attention::Attention(Device& device, cudaStream_t stream, const std::string& gpu, AlgorithmCache& cache)
    : device_(device), stream_(stream), gpu_(gpu), cache_(cache) {
  cudnnCheck(cudnnCreate(&handle_));
  cudnnCheck(cudnnSetStream(handle_, stream_));
}

Attention::~Attention() {
  plans_.clear();
  cudnnDestroy(handle_);
}

std::string Attention::key_of(const AttentionShape& shape) const {
  return fmt::format("{} cudnn {} attention {}", gpu_, cudnnGetVersion(), describe(shape));
}

Attention::Plan& Attention::plan_for(const AttentionShape& shape, const AttentionOperands& operands) {
  std::unique_ptr<Plan>& kept = plans_[shape];
  if (kept) return *kept;
  auto plan = std::make_unique<Plan>();
  fe::graph::Graph& graph = plan->graph;
  graph.set_io_data_type(fe::DataType_t::BFLOAT16)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  auto q = graph.tensor(rows_of(shape, "q", uid_q, shape.q_rows, shape.q_stride));
  auto k = graph.tensor(rows_of(shape, "k", uid_k, shape.kv_rows, shape.k_stride));
  auto v = graph.tensor(rows_of(shape, "v", uid_v, shape.kv_rows, shape.v_stride));
  auto options = fe::graph::SDPA_attributes()
                     .set_name("attention")
                     .set_generate_stats(shape.lse)
                     .set_attn_scale(1.0F / std::sqrt(static_cast<float>(shape.head_dim)));
  auto [out, lse] = graph.sdpa(q, k, v, options);
  const int64_t dense = int64_t{shape.heads} * shape.head_dim;
  out->set_output(true)
      .set_uid(uid_out)
      .set_dim({1, shape.heads, shape.q_rows, shape.head_dim})
      .set_stride({shape.q_rows * dense, shape.head_dim, dense, 1})
      .set_data_type(fe::DataType_t::BFLOAT16);
  if (shape.lse) {
    lse->set_output(true)
        .set_uid(uid_lse)
        .set_dim({1, shape.heads, shape.q_rows, 1})
        .set_stride({shape.heads * shape.q_rows, shape.q_rows, 1, 1})
        .set_data_type(fe::DataType_t::FLOAT);
  }
  check(graph.validate(), shape);
  check(graph.build_operation_graph(handle_), shape);
  check(graph.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::B, fe::HeurMode_t::FALLBACK}), shape);
  graph.deselect_numeric_notes({fe::NumericalNote_t::NONDETERMINISTIC});
  choose(*plan, shape, operands);
  kept = std::move(plan);
  return *kept;
}

// The same plan for the same shape in every process: the cache's, by its name, which tells the engine and its settings.
void Attention::choose(Plan& plan, const AttentionShape& shape, const AttentionOperands& operands) {
  fe::graph::Graph& graph = plan.graph;
  const std::string key = key_of(shape);
  const int64_t count = graph.get_execution_plan_count();
  std::vector<std::string> names(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) check(graph.get_plan_name_at_index(i, names[static_cast<size_t>(i)]), shape);

  std::optional<std::string> name = cache_.find(key);
  if (!name) {
    const double work = static_cast<double>(shape.q_rows) * static_cast<double>(shape.kv_rows) * shape.heads *
                        static_cast<double>(shape.head_dim);
    const size_t wanted = work >= worth_trying && !cache_.file().empty() ? most_candidates : 1;
    std::vector<int64_t> candidates;
    for (int64_t i = 0; i < count && candidates.size() < wanted; ++i) {
      if (graph.build_plan_at_index(i).is_bad()) continue;
      const int64_t workspace = graph.get_workspace_size_plan_at_index(i);
      if (!candidates.empty() && workspace > most_workspace) continue;
      make_room(workspace);
      candidates.push_back(i);
    }
    if (candidates.empty()) throw Error(ExitCode::internal, fmt::format("cuDNN has no plan for {}", key));
    size_t choice = 0;
    if (candidates.size() > 1) {
      // On the true operands, with the true result, so that trying leaves nothing behind.
      choice = fastest(stream_, candidates.size(), [&](size_t i) {
        plan.index = candidates[i];
        return launch(plan, shape, operands).empty();
      });
    }
    name = cache_.store(key, names[static_cast<size_t>(candidates[choice])]);
  }
  const auto found = std::find(names.begin(), names.end(), *name);
  if (found == names.end() || graph.build_plan_at_index(found - names.begin()).is_bad()) {
    throw Error(ExitCode::internal,
                fmt::format("{}: cuDNN has no plan {} for {}; remove the file", cache_.file(), *name, key));
  }
  plan.index = found - names.begin();
  make_room(graph.get_workspace_size_plan_at_index(plan.index));
}

void Attention::make_room(int64_t workspace) {
  if (workspace <= workspace_.bytes()) return;
  cudaCheck(cudaStreamSynchronize(stream_));  // the smaller one may be in use
  workspace_ = Buffer();
  workspace_ = device_.allocate(workspace, "cuDNN's workspace");
}

std::string Attention::launch(const Plan& plan, const AttentionShape& shape, const AttentionOperands& operands) const {
  std::unordered_map<int64_t, void*> tensors = {{uid_q, const_cast<void*>(operands.q)},
                                                {uid_k, const_cast<void*>(operands.k)},
                                                {uid_v, const_cast<void*>(operands.v)},
                                                {uid_out, operands.out}};
  if (shape.lse) tensors[uid_lse] = operands.lse;
  fe::error_t error = plan.graph.execute_plan_at_index(handle_, tensors, workspace_.data(), plan.index);
  return error.is_good() ? std::string() : error.get_message();
}

void Attention::run(const AttentionShape& shape, const AttentionOperands& operands) {
  const Plan& plan = plan_for(shape, operands);
  const std::string failure = launch(plan, shape, operands);
  if (!failure.empty()) {
    throw Error(ExitCode::internal, fmt::format("cuDNN attention of {}: {}", describe(shape), failure));
  }
}

}  // namespace wansweep
