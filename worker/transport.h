// Decides how copies of weights are made in this run: by the settings or, where they are `auto`, by a measurement
// before the loop.
#pragma once

#include <memory>
#include <string>

#include "worker/backend.h"
#include "worker/comm/mpi_world.h"
#include "worker/model/context.h"
#include "worker/offload/copier.h"

namespace wansweep {

struct Transport {
  std::unique_ptr<Communicator> peers;  // of the ranks that copy parts for each other; null: each copies whole pieces
  CopyOptions copies;                   // points to `peers`
  std::string yields_because, cooperative_because;
};

// Collective; all ranks get the same result. `moves_weights`: whether weights are copied from the host while the loop
// runs. With `auto`, the measurement takes less than a second and overwrites the workspace. Also tells the run's
// communicator whether to close the gate. Throws Error(bad_input), on all ranks, when `cooperative` is on and no two
// ranks share a node.
// `block_seconds`: the time of a block without copies, the same on all ranks.
Transport decide_transport(MpiWorld& world, const Backend& backend, const ModelContext& context, bool moves_weights,
                           double block_seconds);

// The decision as a JSON object for the trace's /environment, and as one line for people.
std::string describe_json(const Transport& transport);
std::string describe_text(const Transport& transport);

}  // namespace wansweep
