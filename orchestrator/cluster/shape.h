// The resources that a run asks Slurm for.
#pragma once

#include <cstdint>
#include <optional>

#include "orchestrator/plan/plan.h"
#include "slurm/job_script.h"
#include "slurm/profile.h"

namespace wansweep {

// Host memory is the plan's, with a margin, plus the profile's host_memory_per_rank; time is `seconds`, or predicted
// with a margin: by a machine's numbers (`predicted`: seconds of loading and of the loop, at most), else by the
// profile's teraflops_per_rank. Throws bad_input naming the run and the limit when the request exceeds a limit of the
// cluster, or when the predicted time is not a positive number.
ResourceShape shape_of(const PlannedConfiguration& configuration, const ClusterProfile& profile,
                       std::optional<int64_t> seconds, std::optional<double> predicted = std::nullopt);

// The request of a run that was submitted before, for a cluster whose nodes may hold another number of ranks. The
// memory of each rank stays, so that an earlier increase is kept. Throws as shape_of.
ResourceShape shape_on_other_cluster(const PlannedConfiguration& configuration, const ResourceShape& before,
                                     const ClusterProfile& old_profile, const ClusterProfile& profile);

}  // namespace wansweep
