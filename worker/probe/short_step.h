// Steps of the real loop with a model of few blocks, all weights on the device: what a step takes beside its blocks
// (embeddings, projection, scheduler, trace, what ranks tell each other at a step's end), and what one more block adds.
#pragma once

#include <string>
#include <vector>

#include "schema/completion.h"
#include "worker/probe/bench.h"

namespace wansweep {

// Their traces. The first loop's are the probe's own, rank-NNNN.h5: whole traces of a loop with few blocks. Those of
// the others are removed again.
class ShortSteps {
 public:
  explicit ShortSteps(std::string directory) : directory_(std::move(directory)) {}
  // On rank 0, by rank; empty: there was no loop.
  const std::vector<TraceRecord>& traces() const { return traces_; }

  Measurements measurements(Bench& bench);

 private:
  void measure(Bench& bench, int layers, double seconds);

  std::string directory_;
  std::vector<TraceRecord> traces_;
  bool kept_ = false;
};

}  // namespace wansweep
