// How a rank's loop would go if nothing but computing and copying took time: a schedule, played. A prediction, from two
// rates; no measurement enters.
//
// Uses compute one after the other, each the same time. Copies of one stream follow each other, each at the link's
// rate, and none before the use that it starts with; a use waits for its block, and for copies that nothing is computed
// beside.
#pragma once

#include <span>
#include <vector>

#include "schema/memory_estimate.h"
#include "schema/schedule.h"

namespace wansweep {

struct PlayRates {
  double use_seconds = 0;  // a block's computing in one use
  double link_bytes_per_second = 1;
};

struct PlayedStep {
  double seconds = 0;
  double exposed = 0;  // of these, waiting for weights
};

// By step, from 1: [0] is step 1. The schedule must be one of `uses`.
std::vector<PlayedStep> play(const Schedule& schedule, std::span<const Use> uses, const WeightBytes& weights,
                             const PlayRates& rates);

}  // namespace wansweep
