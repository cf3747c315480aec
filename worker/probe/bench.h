// A bench holds what the measurements of a probe work on: the device, the ranks, and, for one shape of the job, the
// same activations, block weights and exchanges as a run of that shape has.
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

// A communicator that moves nothing and takes no time. A block that runs with it takes only its time of computing.
class NoExchanges : public Communicator {
 public:
  NoExchanges(Device& device, CommunicatorKind kind) : Communicator(device, StreamId::comm), kind_(kind) {}
  void exchange(std::span<const Exchange>) override {}
  CommunicatorKind kind() const override { return kind_; }

 private:
  CommunicatorKind kind_;
};

class Bench {
 public:
  // Checks, before a bench is made, that the device has room for all that the bench would put there. Throws
  // Error(device_memory) when it has not.
  static void check_room(const RunPlan& run, const Device& device);

  // Collective: all ranks call it together. `run` is a run of the shape; its offload mode does not matter, since only
  // the weights of a few blocks are on the device. `shape` is its index in the record. All arguments passed by
  // reference must outlive the bench.
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

  // The context that the model's parts are made with, valid as long as the bench. With `exchanging` false, the parts
  // leave out their exchanges.
  const ModelContext& context(bool exchanging) const { return exchanging ? exchanging_ : computing_; }
  // Weights of a block on the device: another block at each call, in turn, as the loop goes from one to the next.
  const std::byte* next_block();
  const std::byte* any_block() const { return blocks_.data(); }
  // Copies that go on beside other work: a piece of them is one copy from pinned memory to the device. (A copy from
  // pageable memory blocks the host thread, so that nothing could be enqueued beside it.)
  const BesideWork& copies_beside();

  // Adds `sample` with these `seconds` to the record; add_of_shape also gives it this bench's shape. When `seconds` has
  // no values, the record names the sample as not measured instead.
  void add(ProbeSample sample, RankSeconds seconds);
  void add_of_shape(ProbeSample sample, RankSeconds seconds);
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

// One thing to measure. `measure` takes about `seconds`; `weight` decides the share of the probe's time that it gets.
struct Measurement {
  ProbeWhat what = ProbeWhat::block_forward;
  double weight = 1;
  std::function<void(double seconds)> measure;
};
using Measurements = std::vector<Measurement>;

// The measurements of one shape, by kind; each kind has a file of its own. They use `bench`, which must outlive them.
Measurements block_measurements(Bench& bench);
Measurements operation_measurements(Bench& bench);
Measurements exchange_measurements(Bench& bench);
// Measurements of the machine, not of a shape. They are made only with the bench of the first shape.
Measurements copy_measurements(Bench& bench);
Measurements exchange_ladder(Bench& bench);
Measurements host_memory_measurements(Bench& bench);

}  // namespace wansweep
