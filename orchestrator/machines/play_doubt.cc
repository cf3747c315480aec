#include "orchestrator/machines/play_doubt.h"

namespace wansweep {

// The numbers come from the table "Predictions beside measurements" in MEASURED.md: 15 ways on four H200, with NVLink
// and with one wire.
const PlayDoubt& measured_play_doubt() {
  constexpr int ways = 15;
  static const PlayDoubt doubt{
      .loop = {1, 0.98, 1.04, ways,
               "the play: totals took 0.98 to 1.06 of the prediction in 15 ways on four H200; this is the part in all"},
      .way = {1, 0.985, 1.015, ways, "the play: the part of that which differed from way to way"},
      .exposed = {1, 0.9, 2.5, ways, "the play: exposed transfer was 1.1 to 2.7 times the prediction in most ways"},
      .copies = {1, 0.94, 1.06, ways, "the play: first loads took 0.94 to 1.06 of the prediction"},
  };
  return doubt;
}

}  // namespace wansweep
