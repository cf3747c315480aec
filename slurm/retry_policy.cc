#include "slurm/retry_policy.h"

#include <fmt/format.h>

#include "base/exit_codes.h"

namespace wansweep {
namespace {

RetryDecision never(std::string why) { return {false, 1, 1, false, std::move(why)}; }

RetryDecision with_more_time(const RetryFactors& factors) {
  if (!factors.time) return never("the job needs more time: give --time-factor");
  return {true, *factors.time, 1, false, fmt::format("retry with {:g} times the time", *factors.time)};
}

RetryDecision with_more_memory(const RetryFactors& factors) {
  if (!factors.memory) return never("the job needs more host memory: give --mem-factor");
  return {true, 1, *factors.memory, false, fmt::format("retry with {:g} times the memory", *factors.memory)};
}

RetryDecision elsewhere() { return {true, 1, 1, true, "retry on other nodes"}; }

RetryDecision unchanged(std::string why) { return {true, 1, 1, false, std::move(why)}; }

RetryDecision by_exit_code(std::optional<int> exit_code, const RetryFactors& factors) {
  const ExitCodeInfo* info = exit_code ? find_exit_code(*exit_code) : nullptr;
  if (info == nullptr) return unchanged("retry: the worker did not record why it failed");
  if (info->code == ExitCode::ok)
    return unchanged("retry: the worker ended well, but its record is missing or damaged");
  if (info->code == ExitCode::interrupted) return with_more_time(factors);
  if (info->code == ExitCode::host_memory) return with_more_memory(factors);
  if (info->code == ExitCode::device_memory) {
    return never("the device has too little memory: change offload or device_memory");
  }
  switch (info->retry) {
    case Retry::elsewhere:
      return elsewhere();
    case Retry::as_is:
      return unchanged(fmt::format("retry: {}", info->meaning));
    case Retry::never:
    case Retry::with_change:
      return never(std::string(info->meaning));
  }
  return never(std::string(info->meaning));
}

}  // namespace

RetryDecision retry_policy(JobState state, std::optional<int> exit_code, const RetryFactors& factors) {
  switch (state) {
    case JobState::timeout:
      return with_more_time(factors);
    case JobState::out_of_memory:
      return with_more_memory(factors);
    case JobState::node_failure:
    case JobState::boot_failure:
      return elsewhere();
    case JobState::preempted:
      return unchanged("retry: the job was preempted");
    case JobState::lost:
      return unchanged("retry: the outcome is unknown");
    case JobState::failed:
    case JobState::completed:  // but without a result: only such attempts are asked about
      return by_exit_code(exit_code, factors);
    case JobState::cancelled:
      return never("the job was cancelled: submit the run again if that was a mistake");
    case JobState::queued:
    case JobState::running:
    case JobState::unknown:
      return never("it has not ended");
  }
  return never("it has not ended");
}

}  // namespace wansweep
