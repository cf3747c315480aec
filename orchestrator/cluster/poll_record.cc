#include "orchestrator/cluster/poll_record.h"

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "orchestrator/sweep/optional_int.h"

namespace wansweep {
namespace {

using Json = nlohmann::json;

Json number_or_null(const std::optional<int>& number) { return number ? Json(*number) : Json(nullptr); }

}  // namespace

LastVerdict read_last_verdict(const std::string& attempt) {
  try {
    const std::optional<Json> found = read_json_object_if_there(attempt + "/slurm.json");
    if (!found) return {};
    const Json& json = *found;
    LastVerdict last;
    last.state = job_state_named(json.at("state").get<std::string>());
    last.line = json.at("line");
    last.polled_at = json.at("looked_at");
    JobRow& row = last.memory.row;
    row.array_job = json.at("array_job");
    row.word = json.at("slurm_state");
    row.state = job_state_from(row.word);
    row.reason = json.at("reason");
    row.nodes = json.at("nodes");
    row.exit_code = optional_int(json, "exit_code");
    row.signal = optional_int(json, "signal");
    row.started_at = json.at("started_at");
    row.ended_at = json.at("ended_at");
    last.memory.absent_since = json.at("absent_since");
    last.memory.absent_polls = json.at("absent_looks");
    last.memory.ended_since = json.at("ended_since");
    last.memory.requeued_after = json.value("requeued_after", "");
    return last;
  } catch (const Json::exception&) {
    return {};
  } catch (const Error&) {
    return {};
  }
}

void write_verdict(const std::string& attempt, const LastVerdict& before, const Verdict& verdict, int64_t now) {
  const PollMemory& memory = verdict.memory;
  const JobRow& row = memory.row;
  if (verdict.state != before.state || before.polled_at == 0) {
    const Json change{{"at", timestamp_now()},
                      {"from", before.polled_at == 0 ? "" : name_of(before.state)},
                      {"to", name_of(verdict.state)},
                      {"slurm_state", row.word},
                      {"detail", verdict.line}};
    append_line(attempt + "/transitions.jsonl", change.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  const Json json{{"state", name_of(verdict.state)},
                  {"line", verdict.line},
                  {"looked_at", now},
                  {"array_job", row.array_job},
                  {"slurm_state", row.word},
                  {"reason", row.reason},
                  {"nodes", row.nodes},
                  {"exit_code", number_or_null(row.exit_code)},
                  {"signal", number_or_null(row.signal)},
                  {"started_at", row.started_at},
                  {"ended_at", row.ended_at},
                  {"absent_since", memory.absent_since},
                  {"absent_looks", memory.absent_polls},
                  {"ended_since", memory.ended_since},
                  {"requeued_after", memory.requeued_after}};
  write_file_atomically(attempt + "/slurm.json", json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

}  // namespace wansweep
