// A node's time is cut wherever a copy or an exchange of one of its ranks begins or ends. Within such a segment nothing
// changes, so an event's time in a condition is a sum over the segments that it spans.

#include "orchestrator/store/sums/traffic_rates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "orchestrator/store/sums/intervals.h"
#include "orchestrator/store/sums/rate_fit.h"
#include "orchestrator/store/sums/told_rates.h"

namespace wansweep {
namespace {

constexpr size_t conditions = 3;  // values of Condition

// When a rank did what.
struct RankBusy {
  Intervals in, out, copies, moving;
};

// How many ranks of the node did what from `start` on, until the next segment.
struct Segment {
  int64_t start = 0;
  int32_t in = 0, out = 0, copies = 0, moving = 0;
};

struct Node {
  std::vector<size_t> ranks;  // indices
  std::vector<Segment> segments;
};

RankBusy busy_of(const std::vector<EventRow>& events, const std::vector<int64_t>& since) {
  RankBusy busy;
  for (size_t i = 0; i < events.size(); ++i) {
    const EventRow& e = events[i];
    if (is_exchange(e.kind) && since[i] < e.end_ns) busy.moving.push_back({since[i], e.end_ns});
    if (!is_copy(e.kind) || e.start_ns == e.end_ns) continue;
    (e.kind == EventKind::h2d ? busy.in : busy.out).push_back({e.start_ns, e.end_ns});
    busy.copies.push_back({e.start_ns, e.end_ns});
  }
  for (Intervals* of : {&busy.in, &busy.out, &busy.copies, &busy.moving}) *of = united(std::move(*of));
  return busy;
}

std::vector<Segment> segments_of(const std::vector<size_t>& ranks, const std::vector<RankBusy>& busy) {
  struct Change {
    int64_t time;
    int32_t Segment::*count;
    int32_t by;
  };
  std::vector<Change> changes;
  const auto add = [&](const Intervals& of, int32_t Segment::*count) {
    for (const Interval& i : of) {
      changes.push_back({i.start, count, 1});
      changes.push_back({i.end, count, -1});
    }
  };
  for (const size_t r : ranks) {
    add(busy[r].in, &Segment::in);
    add(busy[r].out, &Segment::out);
    add(busy[r].copies, &Segment::copies);
    add(busy[r].moving, &Segment::moving);
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.time < b.time; });
  // Nothing is under way before the first change; parts of weights may begin there, which are no change themselves.
  Segment now{.start = std::numeric_limits<int64_t>::min()};
  std::vector<Segment> segments{now};
  for (const Change& change : changes) {
    now.*change.count += change.by;
    now.start = change.time;
    if (segments.back().start == change.time) {
      segments.back() = now;
    } else {
      segments.push_back(now);
    }
  }
  return segments;
}

std::vector<Node> nodes_of(const AttemptEvents& attempt, const std::vector<RankBusy>& busy) {
  std::map<std::string, Node> by_host;
  std::vector<Node> nodes;
  for (size_t r = 0; r < attempt.ranks.size(); ++r) {
    if (attempt.ranks[r].host.empty()) {
      nodes.push_back({{r}, {}});
    } else {
      by_host[attempt.ranks[r].host].ranks.push_back(r);
    }
  }
  for (auto& [host, node] : by_host) nodes.push_back(std::move(node));
  for (Node& node : nodes) node.segments = segments_of(node.ranks, busy);
  return nodes;
}

// How long a rank was in which condition.
using Conditions = std::map<std::pair<int32_t, Condition>, int64_t>;

// Of an event of `kind` in `time`, on a rank that was `own` busy. The rank itself counts among those that copy at once,
// also where it has finished already: a nominal event lasts longer than the real one.
Conditions conditions_of(EventKind kind, const Interval& time, const RankBusy& own,
                         const std::vector<Segment>& segments) {
  Conditions conditions;
  const Intervals& same = kind == EventKind::h2d ? own.in : own.out;
  const Intervals& other = is_exchange(kind) ? own.copies : own.moving;
  auto s = std::partition_point(segments.begin(), segments.end(),
                                [&](const Segment& segment) { return segment.start <= time.start; });
  for (s = std::prev(s); s != segments.end() && s->start < time.end; ++s) {
    const int64_t start = std::max(s->start, time.start);
    const int64_t end = std::next(s) != segments.end() ? std::min(std::next(s)->start, time.end) : time.end;
    const int32_t others = is_exchange(kind) ? s->copies : s->moving;
    const Condition condition = others == 0              ? Condition::alone
                                : contains(other, start) ? Condition::beside
                                                         : Condition::beside_peers;
    int32_t at_once = 0;
    if (is_copy(kind)) at_once = (kind == EventKind::h2d ? s->in : s->out) + (contains(same, start) ? 0 : 1);
    conditions[{at_once, condition}] += end - start;
  }
  return conditions;
}

// The fits of one kind of event: by condition, and, of copies, by how many ranks copied at once too.
class KindRates {
 public:
  // `mean_rate`: of all its events, bytes a nanosecond.
  KindRates(EventKind kind, double mean_rate, size_t ranks)
      : kind_(kind), mean_rate_(mean_rate), together_(conditions), apart_(conditions * (is_copy(kind) ? ranks : 0)) {}

  void add(const EventRow& e, const Interval& time, const RankBusy& busy, const std::vector<Segment>& segments) {
    const auto bytes = static_cast<double>(e.bytes);
    fastest_ = std::max(fastest_, bytes / static_cast<double>(time.length()));
    const Interval nominal{time.start, time.start + std::max<int64_t>(1, std::llround(bytes / mean_rate_))};
    const Conditions real = conditions_of(kind_, time, busy, segments);
    const Conditions expected = conditions_of(kind_, nominal, busy, segments);
    for (const auto& [key, spent] : real) {
      if (is_copy(kind_)) count({kind_, key.first, key.second}, spent);
    }
    const std::vector<Term> by_condition = together(real);
    for (const Term& term : by_condition) {
      count({kind_, 0, static_cast<Condition>(term.unknown)}, static_cast<int64_t>(term.time));
    }
    together_.add(e.step, by_condition, together(expected), bytes);
    if (is_copy(kind_)) apart_.add(e.step, apart(real), apart(expected), bytes);
  }

  void solve(std::map<RateKey, TrafficRate>& rates) const {
    add_told(rates, together_.solve(), [](const RateKey& key) { return key.at_once == 0; });
    add_told(rates, apart_.solve(), [](const RateKey& key) { return key.at_once > 0; });
  }

 private:
  // The conditions of one fit, which are those that `belongs` names.
  template <typename Belongs>
  void add_told(std::map<RateKey, TrafficRate>& rates, const std::vector<std::optional<FittedRate>>& fitted,
                Belongs belongs) const {
    int64_t all = 0;
    for (const auto& [key, rate] : found_) all += belongs(key) ? rate.time_ns : 0;
    std::vector<FittedCondition> of_fit;
    for (const auto& [key, rate] : found_) {
      if (!belongs(key)) continue;
      const size_t unknown =
          key.at_once == 0 ? static_cast<size_t>(key.condition) : unknown_of(key.at_once, key.condition);
      of_fit.push_back({static_cast<double>(rate.time_ns) / static_cast<double>(all), fitted.at(unknown)});
    }
    const std::vector<std::optional<FittedRate>> rated = told_rates(of_fit, mean_rate_, fastest_);
    auto told = rated.begin();
    for (auto [key, rate] : found_) {
      if (!belongs(key)) continue;
      constexpr double per_second = 1e9;  // from bytes a nanosecond
      if (*told) rate.rate = (*told)->value * per_second;
      if (*told && (*told)->half_width) rate.half_width = *(*told)->half_width * per_second;
      rates[key] = rate;
      ++told;
    }
  }

  static std::vector<Term> together(const Conditions& all) {
    std::array<int64_t, conditions> sums{};
    for (const auto& [key, spent] : all) sums.at(static_cast<size_t>(key.second)) += spent;
    std::vector<Term> terms;
    for (size_t c = 0; c < conditions; ++c) {
      if (sums.at(c) > 0) terms.push_back({c, static_cast<double>(sums.at(c))});
    }
    return terms;
  }
  static std::vector<Term> apart(const Conditions& all) {
    std::vector<Term> terms;
    for (const auto& [key, spent] : all) {
      terms.push_back({unknown_of(key.first, key.second), static_cast<double>(spent)});
    }
    return terms;
  }
  static size_t unknown_of(int32_t at_once, Condition condition) {
    return conditions * static_cast<size_t>(at_once - 1) + static_cast<size_t>(condition);
  }
  void count(const RateKey& key, int64_t time) {
    TrafficRate& rate = found_[key];
    ++rate.events;
    rate.time_ns += time;
  }
  EventKind kind_;
  double mean_rate_;
  double fastest_ = 0;  // of one event, bytes a nanosecond
  RateFit together_, apart_;
  std::map<RateKey, TrafficRate> found_;
};

// Copies, exchanges and parts of weights of steps 1 and later that took any time.
template <typename Action>
void for_each_event(const AttemptEvents& attempt, const std::vector<std::vector<int64_t>>& since,
                    const std::vector<Node>& nodes, Action action) {
  for (const Node& node : nodes) {
    for (const size_t r : node.ranks) {
      const std::vector<EventRow>& events = *attempt.ranks[r].events;
      for (size_t i = 0; i < events.size(); ++i) {
        const EventRow& e = events[i];
        if (e.step < 1 || (!is_copy(e.kind) && !is_between_ranks(e.kind))) continue;
        const Interval time{since[r][i], e.end_ns};
        if (time.length() > 0) action(node, r, e, time);
      }
    }
  }
}

}  // namespace

std::map<RateKey, TrafficRate> estimate_rates(const AttemptEvents& attempt,
                                              const std::vector<std::vector<int64_t>>& since) {
  std::vector<RankBusy> busy;
  for (size_t r = 0; r < attempt.ranks.size(); ++r) busy.push_back(busy_of(*attempt.ranks[r].events, since[r]));
  const std::vector<Node> nodes = nodes_of(attempt, busy);
  struct Whole {
    int64_t bytes = 0, time = 0;
  };
  std::map<EventKind, Whole> whole;
  for_each_event(attempt, since, nodes, [&](const Node&, size_t, const EventRow& e, const Interval& time) {
    whole[e.kind].bytes += e.bytes;
    whole[e.kind].time += time.length();
  });
  std::map<EventKind, KindRates> kinds;
  for (const auto& [kind, sum] : whole) {
    const double mean_rate = static_cast<double>(std::max(int64_t{1}, sum.bytes)) / static_cast<double>(sum.time);
    kinds.try_emplace(kind, kind, mean_rate, attempt.ranks.size());
  }
  for_each_event(attempt, since, nodes, [&](const Node& node, size_t r, const EventRow& e, const Interval& time) {
    kinds.at(e.kind).add(e, time, busy[r], node.segments);
  });
  std::map<RateKey, TrafficRate> rates;
  for (const auto& [kind, one] : kinds) one.solve(rates);
  return rates;
}

}  // namespace wansweep
