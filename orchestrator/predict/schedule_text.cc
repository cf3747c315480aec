#include "orchestrator/predict/schedule_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text_table.h"
#include "orchestrator/predict/played_schedule.h"

namespace wansweep {
namespace {

// For each use, whether a copy in the loop brings the block for it.
std::vector<bool> brought_in_loop(const Schedule& schedule) {
  std::vector<bool> brought(schedule.slot_of_use.size());
  for (const Transfer& t : schedule.transfers) {
    const bool brings = t.way == Way::in && t.block != outside_blocks && t.starts != before_loop && t.needed != no_use;
    if (brings) brought[static_cast<size_t>(t.needed)] = true;
  }
  return brought;
}

// The smallest lead, in uses, of all copies in the loop that a use waits for: how many uses before that use the copy
// starts.
std::optional<int32_t> least_ahead(const Schedule& schedule) {
  std::optional<int32_t> least;
  for (const Transfer& t : schedule.transfers) {
    if (t.way != Way::in || t.starts == before_loop || t.needed == no_use) continue;
    least = std::min(least.value_or(t.needed - t.starts), t.needed - t.starts);
  }
  return least;
}

struct StepText {
  int8_t expert = 0;
  std::string passes;  // "=<==<= =<==<="
};

std::vector<StepText> step_texts(const Schedule& schedule, const std::vector<Use>& uses) {
  const std::vector<bool> brought = brought_in_loop(schedule);
  std::vector<StepText> steps;
  for (size_t i = 0; i < uses.size(); ++i) {
    const bool same_step = steps.size() == static_cast<size_t>(uses[i].step);
    steps.resize(static_cast<size_t>(uses[i].step));
    if (uses[i].block == 0 && same_step) steps.back().passes += ' ';
    steps.back().expert = uses[i].expert;
    steps.back().passes += brought[i] ? '<' : '=';
  }
  return steps;
}

std::string summary(const PlannedConfiguration& c, const Schedule& schedule) {
  const RunPlan& run = *c.run;
  const RunSettings& settings = run.settings;
  std::string text = fmt::format("{}: offload {}, guidance order {}\n", c.name, name_of(settings.offload),
                                 name_of(settings.guidance_order));
  text += fmt::format("slots       {} of {}; beside them {} of {} for weights outside blocks\n", schedule.slots,
                      human_bytes(static_cast<double>(run.weights.block)), schedule.other_slots,
                      human_bytes(static_cast<double>(run.weights.other)));
  text += fmt::format("first load  {}, before step 1\n", human_bytes(static_cast<double>(run.moved.before_loop)));
  text += fmt::format("loop        {}; a step {} (median), {} (most)\n",
                      human_bytes(static_cast<double>(run.moved.in_loop)),
                      human_bytes(static_cast<double>(run.moved.median_step)),
                      human_bytes(static_cast<double>(run.moved.most_in_step)));
  if (const std::optional<int32_t> ahead = least_ahead(schedule)) {
    text += fmt::format(
        "depth       every copy in the loop may start {} uses ahead of the one that needs it, or more\n", *ahead);
  }
  const LinkRate rate = least_link_rate(schedule);
  if (rate.copies > 0) {
    text += fmt::format("link        {:.3g} blocks in the time of a use bring every block in time\n",
                        rate.copies_per_use());
  }
  return text;
}

}  // namespace

std::string schedule_as_text(const PlannedConfiguration& c, const std::optional<ScheduleRates>& rates) {
  const RunPlan& run = *c.run;
  const std::vector<Use> uses = list_uses(loop_shape(run, 0));
  const Schedule schedule = schedule_of(run);
  std::string text = summary(c, schedule);
  std::vector<PlayedStep> played;
  if (rates) {
    const LoopShape shape = loop_shape(run, 0);
    PlayRates play_rates;
    play_rates.block = {{rates->step_seconds / static_cast<double>(shape.forwards.size()) / shape.layers}};
    play_rates.in = play_rates.out = rates->link_bytes_per_second;
    played = play(schedule, uses, run.weights, play_rates).steps;
    double seconds = 0, exposed = 0;
    for (const PlayedStep& step : played) {
      seconds += step.seconds;
      exposed += step.exposed;
    }
    text += fmt::format(
        "predicted   {:.3f} s, {:.3f} s of them waiting for weights, at {:g} GB/s and {:g} s of computing "
        "a step\n",
        seconds, exposed, rates->link_bytes_per_second / 1e9, rates->step_seconds);
  }
  std::vector<TextTable::Column> columns{{"step", Align::right}, {"expert", Align::right}, {"moved", Align::right}};
  if (rates) columns.push_back({"predicted wait s", Align::right});
  columns.push_back({"blocks: = there, < brought for this use"});
  TextTable table(std::move(columns));
  const std::vector<int64_t> moved = moved_by_step(run.weights, schedule, uses);
  const std::vector<StepText> steps = step_texts(schedule, uses);
  for (size_t i = 0; i < steps.size(); ++i) {
    std::vector<std::string> row{fmt::format("{}", i + 1), fmt::format("{}", steps[i].expert + 1),
                                 human_bytes(static_cast<double>(moved[i + 1]))};
    if (rates) row.push_back(fmt::format("{:.3f}", played[i].exposed));
    row.push_back(steps[i].passes);
    table.add_row(row);
  }
  return text + "\n" + table.to_string();
}

std::string schedule_as_json(const PlannedConfiguration& c) {
  const RunPlan& run = *c.run;
  const std::vector<Use> uses = list_uses(loop_shape(run, 0));
  const Schedule schedule = schedule_of(run);
  nlohmann::json rows = nlohmann::json::array();
  for (const Use& use : uses) rows.push_back({use.step, use.expert + 1, use.forward, use.block});
  const nlohmann::json document{{"name", c.name},
                                {"uses", std::move(rows)},
                                {"schedule", to_json(schedule)},
                                {"moved_by_step", moved_by_step(run.weights, schedule, uses)}};
  return document.dump() + "\n";
}

}  // namespace wansweep
