#include "worker/device/cuda/attention.h"

#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <cmath>

#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

namespace fe = cudnn_frontend;

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
  int64_t workspace = 0;
};

Attention::Attention(Device& device, cudaStream_t stream) : device_(device), stream_(stream) {
  cudnnCheck(cudnnCreate(&handle_));
  cudnnCheck(cudnnSetStream(handle_, stream_));
}

Attention::~Attention() {
  plans_.clear();
  cudnnDestroy(handle_);
}

Attention::Plan& Attention::plan_for(const AttentionShape& shape) {
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
  // The same plan for the same shape in every process: the first that the heuristics name, not the fastest of some.
  check(graph.build(handle_, {fe::HeurMode_t::A}), shape);
  check(graph.get_workspace_size(plan->workspace), shape);
  if (plan->workspace > workspace_.bytes()) {
    cudaCheck(cudaStreamSynchronize(stream_));  // the smaller one may be in use
    workspace_ = Buffer();
    workspace_ = device_.allocate(plan->workspace, "cuDNN's workspace");
  }
  kept = std::move(plan);
  return *kept;
}

void Attention::run(const AttentionShape& shape, const AttentionOperands& operands) {
  Plan& plan = plan_for(shape);
  std::unordered_map<int64_t, void*> tensors = {{uid_q, const_cast<void*>(operands.q)},
                                                {uid_k, const_cast<void*>(operands.k)},
                                                {uid_v, const_cast<void*>(operands.v)},
                                                {uid_out, operands.out}};
  if (shape.lse) tensors[uid_lse] = operands.lse;
  check(plan.graph.execute(handle_, tensors, workspace_.data()), shape);
}

}  // namespace wansweep
