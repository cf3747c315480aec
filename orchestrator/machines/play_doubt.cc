#include "orchestrator/machines/play_doubt.h"

namespace wansweep {
namespace {

// The factors are taken from the table "Predictions beside measurements" in MEASURED.md: 15 ways on four H200.
PlayDoubt of_gpus() {
  constexpr int ways = 15, resident_runs = 5, swap_runs = 7;
  return {
      .computing = {},
      .loop = {1, 0.98, 1.04, ways,
               "doubt of the prediction itself: totals took 0.98 to 1.06 times the prediction in 15 ways on four H200; "
               "this is the part that all ways share"},
      .way = {1, 0.985, 1.015, ways, "doubt of the prediction itself: the part that differs from way to way"},
      .one_step = {1, 0.99, 1.01, ways,
                   "doubt of the prediction itself: where the switch costs nothing, the switch step took 0.99 to 1.015 "
                   "of the median step"},
      .copies = {1, 0.94, 1.06, ways,
                 "doubt of the prediction itself: first loads took 0.94 to 1.06 times the prediction"},
      .waiting =
          {1, 1, 1.075, resident_runs,
           "doubt of the prediction itself: in resident runs on four H200, the rank that computes least rested 5 to "
           "7.5 % of the loop longer than predicted, because it waited for slower ranks"},
      .in_together =
          {1, 0.85, 1.1, swap_runs,
           "doubt of the prediction itself: on three days, four H200 copied in at once at 0.84 to 1.16 of the "
           "rate that a probe had measured minutes before"},
      .out_together = {1, 0.65, 1.07, swap_runs,
                       "doubt of the prediction itself: on three days, four H200 copied out at once at 0.65 to 1.07 of "
                       "the rate that a probe had measured minutes before"},
  };
}

}  // namespace

PlayDoubt measured_play_doubt(BackendKind backend) {
  constexpr int occasions = 7;  // "Predictions on the CPU backend" in MEASURED.md
  PlayDoubt doubt = of_gpus();
  switch (backend) {
    case BackendKind::cuda:
      break;
    case BackendKind::cpu:
      doubt.computing = {
          1, 0.88, 1.05, occasions,
          "doubt of the prediction itself: on seven occasions, the median of 21 runs on a shared host was "
          "0.84 to 1.04 of what a probe minutes before had them take"};
      break;
  }
  return doubt;
}

}  // namespace wansweep
