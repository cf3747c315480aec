// cuDNN describes attention of one shape as a graph and offers several execution plans for it; a kernel here is one
// plan. The graph of a shape is built once, when the shape first comes. Plans whose order of sums may differ from run
// to run are left out.
// All kernels share one workspace, which only grows. It is replaced only after the stream has finished with it.

#include <cudnn.h>
#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "worker/device/cuda/attention_library.h"
#include "worker/device/cuda/cuda_check.h"

namespace wansweep {

namespace {

namespace fe = cudnn_frontend;

constexpr size_t most_plans = 8;
constexpr int64_t most_workspace = int64_t{32} << 20;  // bytes; the limit for all plans but the first

enum Uid : int64_t { uid_q = 1, uid_k, uid_v, uid_out, uid_lse };

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

struct ShapeGraph {
  fe::graph::Graph graph;
  std::vector<std::string> plans;  // names, by index in the graph
};

std::unique_ptr<ShapeGraph> make_graph(cudnnHandle_t handle, const AttentionShape& shape) {
  auto made = std::make_unique<ShapeGraph>();
  fe::graph::Graph& graph = made->graph;
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
  check(graph.build_operation_graph(handle), shape);
  check(graph.create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::B, fe::HeurMode_t::FALLBACK}), shape);
  graph.deselect_numeric_notes({fe::NumericalNote_t::NONDETERMINISTIC});
  made->plans.resize(static_cast<size_t>(graph.get_execution_plan_count()));
  for (size_t i = 0; i < made->plans.size(); ++i) {
    check(graph.get_plan_name_at_index(static_cast<int64_t>(i), made->plans[i]), shape);
  }
  return made;
}

class CudnnAttention;

class CudnnKernel : public AttentionKernel {
 public:
  CudnnKernel(const CudnnAttention& library, const fe::graph::Graph& graph, int64_t plan)
      : library_(library), graph_(graph), plan_(plan) {}
  std::string launch(const AttentionOperands& operands) override;

 private:
  const CudnnAttention& library_;
  const fe::graph::Graph& graph_;
  int64_t plan_;
};

class CudnnAttention : public AttentionLibrary {
 public:
  CudnnAttention(Device& device, cudaStream_t stream) : device_(device), stream_(stream) {
    cudnnCheck(cudnnCreate(&handle_));
    cudnnCheck(cudnnSetStream(handle_, stream_));
  }
  ~CudnnAttention() override {
    graphs_.clear();
    cudnnDestroy(handle_);
  }
  CudnnAttention(const CudnnAttention&) = delete;
  CudnnAttention& operator=(const CudnnAttention&) = delete;

  std::string version() const override { return fmt::format("cudnn {}", cudnnGetVersion()); }

  std::vector<std::string> kernels(const AttentionShape& shape) override {
    const ShapeGraph& of_shape = graph_of(shape);
    std::vector<std::string> names;
    for (const std::string& plan : of_shape.plans) {
      // Several of cuDNN's heuristics may propose the same plan.
      const std::string name = name_of_plan(plan);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      if (names.size() == most_plans) break;
    }
    return names;
  }

  std::unique_ptr<AttentionKernel> prepare(const AttentionShape& shape, const std::string& kernel) override {
    ShapeGraph& of_shape = graph_of(shape);
    const auto found = std::find_if(of_shape.plans.begin(), of_shape.plans.end(),
                                    [&](const std::string& plan) { return name_of_plan(plan) == kernel; });
    if (found == of_shape.plans.end()) return nullptr;
    const int64_t plan = found - of_shape.plans.begin();
    if (of_shape.graph.build_plan_at_index(plan).is_bad()) return nullptr;
    const int64_t workspace = of_shape.graph.get_workspace_size_plan_at_index(plan);
    if (plan > 0 && workspace > most_workspace) return nullptr;
    make_room(workspace);
    return std::make_unique<CudnnKernel>(*this, of_shape.graph, plan);
  }

  cudnnHandle_t handle() const { return handle_; }
  void* workspace() const { return workspace_.data(); }

 private:
  static std::string name_of_plan(const std::string& plan) { return "cudnn " + plan; }

  ShapeGraph& graph_of(const AttentionShape& shape) {
    std::unique_ptr<ShapeGraph>& kept = graphs_[shape];
    if (!kept) kept = make_graph(handle_, shape);
    return *kept;
  }

  void make_room(int64_t workspace) {
    if (workspace <= workspace_.bytes()) return;
    cudaCheck(cudaStreamSynchronize(stream_));  // the stream may still use the smaller workspace
    workspace_ = Buffer();
    workspace_ = device_.allocate(workspace, "cuDNN's workspace");
  }

  Device& device_;
  cudaStream_t stream_;
  cudnnHandle_t handle_ = nullptr;
  Buffer workspace_;
  std::map<AttentionShape, std::unique_ptr<ShapeGraph>> graphs_;
};

std::string CudnnKernel::launch(const AttentionOperands& operands) {
  std::unordered_map<int64_t, void*> tensors = {{uid_q, const_cast<void*>(operands.q)},
                                                {uid_k, const_cast<void*>(operands.k)},
                                                {uid_v, const_cast<void*>(operands.v)},
                                                {uid_out, operands.out}};
  if (operands.lse != nullptr) tensors[uid_lse] = operands.lse;
  fe::error_t error = graph_.execute_plan_at_index(library_.handle(), tensors, library_.workspace(), plan_);
  return error.is_good() ? std::string() : error.get_message();
}

}  // namespace

std::unique_ptr<AttentionLibrary> make_cudnn_attention(Device& device, cudaStream_t stream) {
  return std::make_unique<CudnnAttention>(device, stream);
}

}  // namespace wansweep
