// How far off predictions are even when the machine's numbers are right. predict plays a run's schedule
// (predict/played_schedule.h); these numbers compare measured runs with what it played, for a machine whose numbers a
// probe had measured on the same machine. Each is a factor on a predicted time, with median 1; an unknown one is 1.
#pragma once

#include "orchestrator/machines/measured.h"
#include "schema/setting_values.h"

namespace wansweep {

struct PlayDoubt {
  // On the time that computing takes, the same for all runs: a processor that other programs use computes faster in one
  // minute than in the next. Unknown for GPUs, which a run has for itself.
  Measured computing;
  // On every step, the same for all runs: gaps and waiting that a block measured by itself does not have.
  Measured loop;
  // On every step, but each way of moving weights errs by itself: in the difference of two ways it counts twice.
  Measured way;
  // On the switch step alone: any step differs from the median step by so much, also where nothing is copied for it.
  Measured one_step;
  // On copies during which nothing is computed: the first load, the spike and exposed_transfer.
  Measured copies;
  // 1 and the share of a step that the rank which rests most rests longer than the played one: it waits for slower
  // ranks. Copies that computing hides on the played rank are exposed on that one for this share.
  Measured waiting;
  // On the rates of copies in and out that several ranks of a node make at once. The host's memory limits them, and
  // gives another rate in one minute than in the next, as other jobs on the host and the place of the memory change.
  Measured in_together, out_together;
  bool operator==(const PlayDoubt&) const = default;
};
// The doubts that were measured, for a machine on which runs of this backend are predicted.
PlayDoubt measured_play_doubt(BackendKind backend);

}  // namespace wansweep
