// What the measurements of a probe work on: the device and the ranks, and for one shape of the job the same
// activations, block and exchanges as a run of that shape has.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "schema/probe/record.h"
#include "schema/run_plan.h"
#include "worker/backend.h"
#include "worker/model/context.h"
#include "worker/probe/timer.h"
#include "worker/warm_up.h"
#include "worker/weights/weight_source.h"

namespace wansweep {

// Exchanges that move nothing and take no time: a block's computing is what is left.
class NoExchanges : public Communicator {
 public:
  explicit NoExchanges(CommunicatorKind kind) : kind_(kind) {}
  void exchange(std::span<const Exchange>) override {}
  CommunicatorKind kind() const override { return kind_; }

 private:
  CommunicatorKind kind_;
};

class Bench {
 public:
  // Whether the device has room for all that a bench puts there, before it does. Throws Error(device_memory).
  static void check_room(const RunPlan& run, const Device& device);

  // Collective; `run` is the shape's, whatever its offload: no more weights than a few blocks are on the device. All
  // that is passed must outlive it.
  Bench(MpiWorld& world, const Backend& backend, Timer& timer, ProbeRecord& record, RunPlan run, int shape);
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  MpiWorld& world;
  const Backend& backend;
  Device& device;
  Timer& timer;
  const RunPlan run;
  Workspace workspace;
  Recorder untraced;
  int exchange_groups = 1;
  bool first() const { return shape_ == 0; }

  // For the model's parts; `exchanging` false: their exchanges are left out. Both outlive what is made of them.
  const ModelContext& context(bool exchanging) const { return exchanging ? exchanging_ : computing_; }
  // Weights of a block, of several in turn, as the loop goes from one to the next.
  const std::byte* next_block();
  const std::byte* any_block() const { return blocks_.data(); }
  // A piece of what copies beside other work bring from pinned memory, over the link at its rate; and how long it takes
  // alone. (Copies from pageable memory hold the host thread: nothing could be enqueued beside them.)
  const BesideWork& copies_beside();

  // `sample` without its seconds. Nothing is added when there are none: then it is said to be not measured.
  void add(ProbeSample sample, std::vector<double> seconds);
  void add_of_shape(ProbeSample sample, std::vector<double> seconds);
  void leave_out(ProbeWhat what, const std::string& why);

 private:
  void load_blocks();

  ProbeRecord& record_;
  int shape_;
  WarmUp warm_;
  NoExchanges no_exchanges_;
  ModelContext exchanging_, computing_;
  Buffer blocks_;
  int block_count_ = 1, next_ = 0;
  Buffer copied_host_, copied_device_;
  BesideWork copies_;
  FinishOnExit finish_;
};

// One thing to measure, in about `seconds`; its weight decides its share of the probe's time.
struct Measurement {
  ProbeWhat what = ProbeWhat::block_forward;
  double weight = 1;
  std::function<void(double seconds)> measure;
};
using Measurements = std::vector<Measurement>;

// By kind; each in a file of its own. What they return uses `bench` when it is called.
Measurements block_measurements(Bench& bench);
Measurements operation_measurements(Bench& bench);
Measurements exchange_measurements(Bench& bench);
// Of the machine, not of a shape: measured with the first shape's.
Measurements copy_measurements(Bench& bench);
Measurements exchange_ladder(Bench& bench);
Measurements host_memory_measurements(Bench& bench);

}  // namespace wansweep
