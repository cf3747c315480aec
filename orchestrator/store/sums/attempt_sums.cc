#include "orchestrator/store/sums/attempt_sums.h"

#include "orchestrator/store/sums/exchange_start.h"

namespace wansweep {

AttemptSums sum_attempt(const AttemptEvents& attempt) {
  const std::vector<std::vector<int64_t>> since = moving_since(attempt);
  return {split_time(attempt, since), estimate_rates(attempt, since), spread_of(attempt, since),
          largest_of(attempt, since)};
}

}  // namespace wansweep
