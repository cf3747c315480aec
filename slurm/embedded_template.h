// The text of slurm/job.sh.mustache at the time when wansweep was built.
#pragma once

namespace wansweep {

extern const char* const job_template;

}  // namespace wansweep
