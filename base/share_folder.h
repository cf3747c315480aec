// The folder of the data files that come with the programs: slurm/ (site profiles), jobs/ (sweeps), analysis/,
// machines/.
#pragma once

#include <string>

namespace wansweep {

// $WANSWEEP_SHARE; else share/wansweep beside the folder of the running program (bin/../share/wansweep), so that an
// installed tree may be moved as a whole; else the source tree that the program was built from. Throws bad_input when
// WANSWEEP_SHARE does not name a folder.
std::string share_folder();

}  // namespace wansweep
