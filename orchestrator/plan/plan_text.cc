// How a plan is shown: to people as a table, to programs as JSON.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/text_table.h"
#include "orchestrator/plan/plan.h"
#include "schema/setting_fields.h"

namespace wansweep {
namespace {

std::string offload_text(const RunSettings& spec) {
  const bool by_block = spec.guidance_order == GuidanceOrder::block;
  return fmt::format("{}{}", name_of(spec.offload), by_block ? ", block order" : "");
}

}  // namespace

std::string plan_as_table(const Plan& plan) {
  TextTable table({{"configuration"},
                   {"runs", Align::right},
                   {"ranks", Align::right},
                   {"parallel plan"},
                   {"offload"},
                   {"flow_shift", Align::right},
                   {"switch step", Align::right},
                   {"tokens", Align::right},
                   {"weights/device", Align::right},
                   {"activations/device", Align::right},
                   {"host/node", Align::right},
                   {"block slots", Align::right},
                   {"moved/step", Align::right},
                   {"moved/largest step", Align::right},
                   {"moved/loop", Align::right}});
  for (const PlannedConfiguration& c : plan.configurations) {
    std::vector<std::string> row{c.name, fmt::format("{}", plan.repeats), fmt::format("{}", c.spec.ranks)};
    row.emplace_back(c.run ? c.run->parallel.name() : "-");
    row.push_back(offload_text(c.spec));
    row.emplace_back(c.spec.flow_shift ? fmt::format("{:g}", *c.spec.flow_shift) : "-");
    if (c.run) {
      const RunPlan& run = *c.run;
      row.emplace_back(run.switch_step ? fmt::format("{}", *run.switch_step) : "none");
      row.emplace_back(fmt::format("{}", run.tokens));
      const auto add_bytes = [&](int64_t bytes) { row.emplace_back(human_bytes(static_cast<double>(bytes))); };
      add_bytes(run.memory.device_weights);
      add_bytes(run.memory.device_activations);
      add_bytes(c.host_bytes_per_node());
      row.emplace_back(fmt::format("{}", run.block_slots));
      add_bytes(run.moved.median_step);
      add_bytes(run.moved.most_in_step);
      add_bytes(run.moved.in_loop);
    } else {
      row.insert(row.end(), 9, "-");
    }
    table.add_row(row);
  }
  std::string text = table.to_string();
  text += fmt::format("\nsweep {}: {}, {} ({} each)\n", plan.sweep,
                      count_of(std::ssize(plan.configurations), "configuration"),
                      count_of(static_cast<int64_t>(plan.runs()), "run"), count_of(plan.repeats, "repeat"));
  text += problems_as_text(plan);
  for (const PlannedConfiguration& c : plan.configurations) {
    for (const std::string& line : c.drift) text += fmt::format("differs  {}: {}\n", c.name, line);
  }
  for (const PlannedConfiguration& c : plan.configurations) {
    for (const std::string& line : c.warnings) text += fmt::format("warning  {}: {}\n", c.name, line);
  }
  return text;
}

std::string problems_as_text(const Plan& plan) {
  std::vector<std::pair<std::string, std::vector<std::string>>> problems;  // with the configurations that have them
  for (const PlannedConfiguration& c : plan.configurations) {
    if (c.problem.empty()) continue;
    auto found = std::ranges::find(problems, c.problem, [](const auto& each) { return each.first; });
    if (found == problems.end()) found = problems.insert(found, {c.problem, {}});
    found->second.push_back(c.name);
  }
  std::string text;
  for (const auto& [problem, names] : problems) {
    const std::string more = names.size() > 1 ? fmt::format(" and {} more", names.size() - 1) : "";
    text += fmt::format("problem  {}{}: {}\n", names[0], more, problem);
  }
  return text;
}

std::string plan_as_json(const Plan& plan) {
  using Json = nlohmann::json;
  const Json document{{"sweep", plan.sweep},
                      {"file", plan.file},
                      {"repeats", plan.repeats},
                      {"runs", plan.runs()},
                      {"problems", plan.problems()}};
  std::string text = document.dump(2);
  text.resize(text.size() - 2);  // its closing bracket comes behind the configurations, of which each has a line
  text += ",\n  \"configurations\": [";
  const char* separator = "\n    ";
  for (const PlannedConfiguration& c : plan.configurations) {
    Json one{{"name", c.name},
             {"config", c.hash},
             {"ranks", c.spec.ranks},
             {"offload", std::string(name_of(c.spec.offload))}};
    if (c.run) {
      one["parallel_plan"] = c.run->parallel.name();
      one["parallel_plan_why"] = c.run->parallel.why;
      one["host_bytes_per_node"] = c.host_bytes_per_node();
      one.update(plan_to_json(*c.run));
    }
    one["problem"] = c.problem.empty() ? Json(nullptr) : Json(c.problem);
    one["differs"] = c.drift;
    one["warnings"] = c.warnings;
    one["spec"] = to_json(c.spec);
    text += std::exchange(separator, ",\n    ") + one.dump();
  }
  return text + "\n  ]\n}\n";
}

}  // namespace wansweep
