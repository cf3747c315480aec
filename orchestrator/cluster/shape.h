// What one run asks Slurm for.
#pragma once

#include <cstdint>
#include <optional>

#include "orchestrator/plan/plan.h"
#include "slurm/job_script.h"
#include "slurm/profile.h"

namespace wansweep {

// Host memory as the plan reckons it, with a margin, and the profile's host_memory_per_rank beside it; time as given
// (`seconds`), or as predicted, with a margin. Throws bad_input naming the run and the limit when no node or job of the
// cluster can have it, and when the predicted time is no time.
ResourceShape shape_of(const PlannedConfiguration& configuration, const ClusterProfile& profile,
                       std::optional<int64_t> seconds);

// The request of a run that was submitted before, on a cluster whose nodes may hold another number of ranks. Memory is
// each rank's as it was, so that what was granted to the run before is not lost. Throws as shape_of.
ResourceShape shape_on_other_cluster(const PlannedConfiguration& configuration, const ResourceShape& before,
                                     const ClusterProfile& old_profile, const ClusterProfile& profile);

}  // namespace wansweep
