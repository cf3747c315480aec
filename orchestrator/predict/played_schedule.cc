// Time advances from one event to the next. An event is the end of a copy, of a chunk, of an exchange or of the
// computing of a piece. Between two events every rate is constant, so that progress is rate times time.

#include "orchestrator/predict/played_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wansweep {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double an_instant = 1e-12;  // seconds; a shorter time is taken for rounding

class Rank {
 public:
  Rank(const Schedule& schedule, const WeightBytes& weights, const PlayRates& rates)
      : schedule_(schedule), weights_(weights), rates_(rates) {}

  double now() const { return now_; }
  double exposed() const { return exposed_; }  // seconds until now, in which a copy ran and nothing was computed
  double hidden() const { return hidden_; }    // and beside computing

  // From now on, the schedule's copies with an index below `end` may be made.
  void allow(size_t end) {
    allowed_ = end;
    begin_copy();
  }

  // Waits, computing nothing, until copy `index` has arrived with all of its parts.
  void await(size_t index) {
    double nothing = 0;
    while (made_ <= index) advance(never, nothing);
    while (rates_.sharers > 1 && arrived_[index] - now_ > an_instant) advance(arrived_[index] - now_, nothing);
  }

  // Goes through pieces one after the other, such as those of a block in one forward. Their exchanges are one burst.
  void compute(std::span<const PlayPiece> pieces) {
    size_t bursting = pieces.size();  // number of pieces until the last exchange is over
    while (bursting > 0 && pieces[bursting - 1].exchange.bytes == 0) --bursting;
    last_of_burst_ = bursting > 0 ? &pieces[bursting - 1].exchange : nullptr;
    for (const PlayPiece& piece : pieces) {
      if (copies()) {
        compute_beside_copies(piece);
      } else {  // none is under way, and none begins before the next use
        const PlayExchange& exchange = piece.exchange;
        now_ += std::max(piece.seconds, exchange.latency + (exchange.bytes > 0 ? exchange.bytes / exchange.rate : 0));
      }
    }
    in_burst_ = false;
  }

 private:
  bool copies() const { return copy_left_ > 0 || copy_latency_ > 0; }

  void compute_beside_copies(const PlayPiece& piece) {
    double seconds = piece.seconds, latency = piece.exchange.latency, bytes = piece.exchange.bytes;
    while (seconds > 0 || latency > 0 || bytes > 0) {
      if (latency > 0) {
        latency -= advance(latency, seconds);
      } else if (bytes > 0) {
        moving_ = &piece.exchange;
        in_burst_ = true;
        const double rate = copies() && !held_back() ? moving_->rate_beside_copies : moving_->rate;
        const double left = bytes / rate;
        const double passed = advance(left, seconds);
        bytes = passed == left ? 0 : bytes - passed * rate;
        if (bytes <= 0) exchange_ended();
      } else {
        advance(never, seconds);
      }
    }
  }

  void exchange_ended() {
    if (moving_ == last_of_burst_) in_burst_ = false;
    moving_ = nullptr;
    if (copies() && !in_burst_) cut();
  }

  // Advances the time to the next event, but by `most` seconds at most. `seconds` is the computing that is left; what
  // was computed meanwhile is subtracted from it. Returns the seconds that passed.
  double advance(double most, double& seconds) {
    const bool copying = copies() && !held_back();
    const double speed = copying ? rates_.computing_beside_copies : 1;
    const bool computes = seconds > 0;
    double passed = most, copy_ends = never;
    if (computes) passed = std::min(passed, seconds / speed);
    if (copying) {
      copy_ends = copy_latency_ > 0 ? copy_latency_ : until_held() / copy_rate();
      passed = std::min(passed, copy_ends);
    }
    now_ += passed;
    if (computes) seconds = seconds / speed == passed ? 0 : std::max(0.0, seconds - passed * speed);
    if (copying) {
      (computes ? hidden_ : exposed_) += passed;
      move_copy(passed, passed == copy_ends);
    }
    return passed;
  }

  // Whether the current copy yields to exchanges: it ends the chunk that it has begun, and then waits until the burst
  // is over. A copy that the next use waits for does not yield.
  bool yields_now() const {
    const Transfer& t = schedule_.transfers[made_];
    const bool awaited = t.blocking || (t.needed != no_use && t.needed <= t.starts);
    return in_burst_ && rates_.yields && !awaited;
  }
  bool held_back() const { return yields_now() && chunk_left_ <= 0; }
  double until_held() const { return yields_now() ? std::min(chunk_left_, copy_left_) : copy_left_; }

  double copy_rate() const {
    if (moving_ != nullptr) return moving_->copy_rate;
    return schedule_.transfers[made_].way == Way::in ? rates_.in : rates_.out;
  }

  void move_copy(double passed, bool ended) {
    if (copy_latency_ > 0) {
      copy_latency_ = ended ? 0 : copy_latency_ - passed;
      if (!copies()) end_copy();
      return;
    }
    const double moved = ended ? until_held() : passed * copy_rate();
    copy_left_ -= moved;
    chunk_left_ -= moved;
    if (copy_left_ <= 0) return end_copy();
    if (!in_burst_) cut();
  }

  // Begins the copy's next chunk when the last one has ended; a chunk that is under way goes on.
  void cut() {
    const double chunk = rates_.chunk_bytes > 0 ? rates_.chunk_bytes : copy_left_;
    if (chunk_left_ <= 0 && chunk > 0) chunk_left_ += chunk * (std::floor(-chunk_left_ / chunk) + 1);
  }

  void end_copy() {
    if (rates_.sharers > 1) {
      const double others = bytes_of(schedule_.transfers[made_]) * (rates_.sharers - 1) / rates_.sharers;
      arrived_.push_back(std::max(arrived_.empty() ? 0 : arrived_.back(), now_) + others / rates_.parts_rate);
    }
    copy_left_ = 0;
    ++made_;
    begin_copy();
  }

  void begin_copy() {
    if (copies() || made_ >= allowed_) return;
    copy_left_ = bytes_of(schedule_.transfers[made_]) / rates_.sharers;
    copy_latency_ = rates_.copy_latency;
    chunk_left_ = 0;
    if (!in_burst_) cut();
    if (!copies()) end_copy();  // nothing to move
  }

  double bytes_of(const Transfer& t) const {
    return static_cast<double>(t.block == outside_blocks ? weights_.other : weights_.block);
  }

  const Schedule& schedule_;
  const WeightBytes& weights_;
  const PlayRates& rates_;
  double now_ = 0, exposed_ = 0, hidden_ = 0;
  size_t made_ = 0, allowed_ = 0;  // numbers of copies that are done, and that may begin
  double copy_left_ = 0, chunk_left_ = 0, copy_latency_ = 0;
  const PlayExchange* moving_ = nullptr;  // the exchange that moves data now; null: none
  const PlayExchange* last_of_burst_ = nullptr;
  bool in_burst_ = false;        // the first exchange of a burst has moved data, and the last one is not over
  std::vector<double> arrived_;  // by copy: when its last part comes, where ranks bring parts for each other
};

void compute_use(Rank& rank, const Use& use, const PlayRates& rates, bool second_forward) {
  const std::vector<PlayPiece>& shared = rates.shared_block.empty() ? rates.block : rates.shared_block;
  rank.compute(second_forward && use.block == 0 ? shared : rates.block);
  if (use.forward == forward_both) rank.compute(use.block == 0 ? shared : rates.block);
}

}  // namespace

Played play(const Schedule& schedule, std::span<const Use> uses, const WeightBytes& weights, const PlayRates& rates) {
  Played played;
  const std::vector<Transfer>& transfers = schedule.transfers;
  Rank rank(schedule, weights, rates);
  size_t next = 0;
  while (next < transfers.size() && transfers[next].starts == before_loop) ++next;
  rank.allow(next);
  if (next > 0) rank.await(next - 1);
  played.first_load = rank.now();

  std::vector<size_t> block_comes_by(static_cast<size_t>(schedule.slots));  // 1 + the copy that fills a slot; 0: none
  std::vector<size_t> other_comes_by(static_cast<size_t>(schedule.other_slots));
  double step_began = rank.now(), exposed_before = rank.exposed(), hidden_before = rank.hidden();
  for (size_t i = 0; i < uses.size(); ++i) {
    const Use& use = uses[i];
    size_t wait_for = 0;
    for (; next < transfers.size() && transfers[next].starts <= static_cast<int32_t>(i); ++next) {
      const Transfer& t = transfers[next];
      (t.block == outside_blocks ? other_comes_by : block_comes_by)[static_cast<size_t>(t.slot)] = next + 1;
      if (t.blocking) wait_for = next + 1;
    }
    rank.allow(next);
    const auto other = static_cast<size_t>(schedule.other_slot[static_cast<size_t>(use.expert)]);
    wait_for =
        std::max({wait_for, block_comes_by[static_cast<size_t>(schedule.slot_of_use[i])], other_comes_by[other]});
    if (wait_for > 0) rank.await(wait_for - 1);
    const bool second_forward = i > 0 && use.forward == forward_uncond && uses[i - 1].step == use.step;
    compute_use(rank, use, rates, second_forward);
    if (i + 1 < uses.size() && uses[i + 1].step == use.step) continue;
    rank.compute(rates.after_blocks);
    const double hidden = rank.hidden() - hidden_before, waiting = rates.waits * hidden;
    played.steps.push_back({rank.now() - step_began, rank.exposed() - exposed_before + waiting, hidden - waiting});
    step_began = rank.now();
    exposed_before = rank.exposed();
    hidden_before = rank.hidden();
  }
  return played;
}

}  // namespace wansweep
