// Fills slurm/job.sh.mustache. Every word that is inserted goes through shell_quote, or consists of characters that the
// profile has checked. The line that differs between engines, MPIs and containers is composed here; the template has no
// cases for them.

#include "slurm/job_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <kainjow/mustache.hpp>

#include "base/error.h"
#include "base/shell_quote.h"
#include "schema/version.h"
#include "slurm/array_ids.h"
#include "slurm/embedded_template.h"

namespace wansweep {
namespace {

using kainjow::mustache::data;

std::string launch_command(const ClusterProfile& profile, const ResourceShape& shape) {
  switch (profile.launcher) {
    case RankLauncher::mpirun:
      return fmt::format("mpirun -n {} --bind-to {}", shape.ranks,
                         profile.binding == CoreBinding::none ? "none" : "core");
    case RankLauncher::srun:
      break;
  }
  // srun does not take the number of cores for each rank from the job, and binds each rank to some of the GPUs unless
  // it is told not to.
  return fmt::format("srun --mpi={} --ntasks={} --cpus-per-task={} --cpu-bind={} {}--kill-on-bad-exit=1",
                     shell_word(profile.mpi), shape.ranks, shape.cores_per_rank, name_of(profile.binding),
                     shape.gpus_per_node > 0 ? "--gpu-bind=none " : "");
}

// The words before the worker, "apptainer exec ... IMAGE "; empty without a container.
std::string container_command(const ClusterProfile& profile, const JobScript& job) {
  if (profile.container.empty()) return "";
  for (const std::string& folder : job.binds) {
    if (folder.find_first_of(",:\\") == std::string::npos) continue;
    throw bad_input(
        fmt::format("{}: the name holds a comma, a colon or a backslash, at which apptainer's --bind splits names; "
                    "use another name with container",
                    folder));
  }
  return fmt::format("apptainer exec {}--bind {} {} ", job.shape.gpus_per_node > 0 ? "--nv " : "",
                     shell_quote(fmt::format("{}", fmt::join(job.binds, ","))), shell_quote(profile.container));
}

// The command that starts a member's attempt in the background.
std::string start_lines(const JobScript& job, const ClusterProfile& profile) {
  const std::string output = R"(>"$attempt/stdout.log" 2>"$attempt/stderr.log" &)";
  const std::string worker = fmt::format(R"({} {}"$worker" \
  --spec "$attempt/spec.json" --out "$attempt" {})",
                                         launch_command(profile, job.shape), container_command(profile, job), output);
  if (!job.engine_scripts) return worker;
  return fmt::format(R"(# A run of another engine has its command in its folder; the engine starts its own ranks.
if [ -f "$attempt/command.sh" ]; then
  bash "$attempt/command.sh" {}
else
{}
fi)",
                     output, worker);
}

// Slurm would accept 0: as a time limit it means no limit, as memory all memory of the node.
void check_shape(const ResourceShape& shape) {
  for (const auto& [what, amount] : {std::pair{"nodes", shape.nodes},
                                     {"ranks", shape.ranks},
                                     {"cores for each rank", shape.cores_per_rank},
                                     {"MiB of memory on each node", shape.memory_per_node},
                                     {"seconds of time limit", shape.seconds}}) {
    if (amount < 1) throw bad_input(fmt::format("the job would ask for {} {}; at least 1 is needed", amount, what));
  }
}

// With an empty value, the template leaves the section out.
void set_optional(data& values, const char* key, const std::string& value) {
  values.set(key, value.empty() ? data(false) : data(value));
}

data environment_of(const ClusterProfile& profile) {
  data list(data::type::list);
  for (const auto& [name, value] : profile.environment) {
    data each;
    each.set("name", name);
    each.set("value", shell_quote(value));
    list.push_back(each);
  }
  return list;
}

// The options that differ from site to site. An option that the profile leaves empty keeps the site's default.
data site_options(const ClusterProfile& profile, const ResourceShape& shape) {
  data list(data::type::list);
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    check_slurm_word(
        value, name,
        "job script");  // checked again: a submission's profile is read from a file that others may be able to write
    data each;
    each.set("option", fmt::format("--{}={}", name, value));
    list.push_back(each);
  };
  add("clusters", profile.cluster);
  add("partition", profile.partition);
  add("account", profile.account);
  add("qos", profile.qos);
  add("constraint", profile.constraint);
  add("exclude", fmt::format("{}", fmt::join(profile.exclude, ",")));
  add("gres", shape.gpus_per_node > 0 ? fmt::format("{}:{}", profile.gres, shape.gpus_per_node) : "");
  return list;
}

data modules_of(const ClusterProfile& profile) {
  data list(data::type::list);
  for (const std::string& module : profile.modules) {
    data each;
    each.set("module", shell_quote(module));
    list.push_back(each);
  }
  return list;
}

}  // namespace

std::string render_job_script(const JobScript& job, const ClusterProfile& profile) {
  const ResourceShape& shape = job.shape;
  check_shape(shape);
  data values;
  values.set("version", version);
  values.set("revision", git_revision);
  values.set("token", job.token);
  std::string after;
  for (const std::string& id : job.after) after += ",afterany:" + id;
  values.set("after", after);
  values.set("array", array_range(job.count, job.running));
  values.set("site", site_options(profile, shape));
  values.set("nodes", std::to_string(shape.nodes));
  values.set("ranks", std::to_string(shape.ranks));
  values.set("ranks_per_node", std::to_string(shape.ranks / shape.nodes));
  values.set("cores_per_rank", std::to_string(shape.cores_per_rank));
  values.set("memory", std::to_string(shape.memory_per_node));
  const std::string gpus = shape.gpus_per_node > 0 ? std::to_string(shape.gpus_per_node) : "";
  set_optional(values, "gpus", gpus);
  values.set("time", format_duration(shape.seconds));
  values.set("signal_before_end", std::to_string(profile.signal_before_end));
  values.set("sweep", shell_quote(job.sweep));
  values.set("submission", shell_quote(job.submission));
  values.set("attempts", shell_quote(job.attempts));
  values.set("worker", shell_quote(job.worker));
  values.set("has_modules", data(!profile.modules.empty()));
  values.set("modules", modules_of(profile));
  values.set("environment", environment_of(profile));
  set_optional(values, "scratch", profile.scratch.empty() ? "" : shell_quote(profile.scratch));
  set_optional(values, "worker_sha256", job.worker_sha256);
  values.set("start", start_lines(job, profile));

  kainjow::mustache::mustache sheet(job_template);
  sheet.set_custom_escape([](const std::string& text) { return text; });
  if (!sheet.is_valid()) throw Error(ExitCode::internal, "slurm/job.sh.mustache: " + sheet.error_message());
  return sheet.render(values);
}

}  // namespace wansweep
