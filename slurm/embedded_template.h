// slurm/job.sh.mustache as it was when wansweep was built.
#pragma once

namespace wansweep {

extern const char* const job_template;

}  // namespace wansweep
