// Measures steps of the real loop with a model of few blocks, all of its weights on the device. They tell what a step
// takes outside its blocks (embeddings, projection, scheduler, trace, the messages between ranks at a step's end), and
// what one more block adds.
#pragma once

#include <string>
#include <vector>

#include "schema/completion.h"
#include "worker/probe/bench.h"

namespace wansweep {

// Runs such loops and keeps their traces in `directory`. The traces of the first loop stay, as the probe's own
// rank-NNNN.h5: complete traces of a loop with few blocks. The traces of later loops are removed.
class ShortSteps {
 public:
  explicit ShortSteps(std::string directory) : directory_(std::move(directory)) {}
  // On rank 0: the traces of all ranks, by rank. Empty when no loop has run.
  const std::vector<TraceRecord>& traces() const { return traces_; }

  Measurements measurements(Bench& bench);

 private:
  void measure(Bench& bench, int layers, double seconds);

  std::string directory_;
  std::vector<TraceRecord> traces_;
  bool kept_ = false;
};

}  // namespace wansweep
