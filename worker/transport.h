// How copies of weights are made in this run: what the settings say, and where they leave it to the machine (auto),
// what a measurement before the loop says.
#pragma once

#include <memory>
#include <string>

#include "worker/backend.h"
#include "worker/comm/mpi_world.h"
#include "worker/model/context.h"
#include "worker/offload/copier.h"

namespace wansweep {

struct Transport {
  std::unique_ptr<Communicator> peers;  // of ranks that bring parts for each other; null: each brings whole pieces
  CopyOptions copies;                   // points to `peers`
  std::string yields_because, cooperative_because;
};

// Collective; the same on all ranks. `moves_weights`: something is copied from the host while the loop runs. With auto
// it takes less than a second, and overwrites the workspace. Also tells the run's communicator whether to close the
// gate. Throws on all ranks: Error(bad_input) when `cooperative` is on and no two ranks share a node.
Transport decide_transport(MpiWorld& world, const Backend& backend, const ModelContext& context, bool moves_weights);

// One JSON object for the trace's /environment, and one line for people.
std::string describe_json(const Transport& transport);
std::string describe_text(const Transport& transport);

}  // namespace wansweep
