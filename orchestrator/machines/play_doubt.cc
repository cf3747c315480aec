#include "orchestrator/machines/play_doubt.h"

namespace wansweep {

// The factors are taken from the table "Predictions beside measurements" in MEASURED.md: 15 ways on four H200.
const PlayDoubt& measured_play_doubt() {
  constexpr int ways = 15;
  static const PlayDoubt doubt{
      .loop = {1, 0.98, 1.04, ways,
               "doubt of the prediction itself: totals took 0.98 to 1.06 times the prediction in 15 ways on four H200; "
               "this is the part that all ways share"},
      .way = {1, 0.985, 1.015, ways, "doubt of the prediction itself: the part that differs from way to way"},
      .exposed = {1, 0.9, 2.5, ways,
                  "doubt of the prediction itself: exposed transfer took 1.1 to 2.7 times the prediction in most ways"},
      .copies = {1, 0.94, 1.06, ways,
                 "doubt of the prediction itself: first loads took 0.94 to 1.06 times the prediction"},
  };
  return doubt;
}

}  // namespace wansweep
