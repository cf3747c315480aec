// `wansweep cluster check`: compares a profile with the output of the site's own commands. Only facts that sinfo knows
// for sure can differ: "48+" cores is the smallest node, and the largest is then unknown.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <regex>
#include <string>

#include "base/error.h"
#include "base/printable.h"
#include "orchestrator/launch/local_launcher.h"
#include "orchestrator/verbs/cluster_job.h"
#include "orchestrator/verbs/verbs.h"
#include "slurm/client.h"
#include "slurm/node_list.h"
#include "slurm/profile.h"

namespace wansweep {
namespace {

// The amount that the largest node has, as far as sinfo tells.
struct Largest {
  int64_t known = 0;
  bool or_more = false;  // sinfo gave the smallest of several sizes

  void add(const NodeAmount& amount) {
    known = std::max(known, amount.amount);
    or_more |= amount.or_more;
  }
};

// Finds the values in the profile that the site contradicts, one line for each.
class Check {
 public:
  explicit Check(const ClusterProfile& profile) : profile_(profile), client_(profile) {}

  std::vector<std::string> run() {
    check_config();
    check_nodes();
    return problems_;
  }

 private:
  std::string answer(const CommandResult& result, const char* command) {
    if (result.exit_code == 0) return result.out;
    const std::string said = result.timed_out ? "no answer" : result.err.substr(0, result.err.find('\n'));
    throw Error(ExitCode::scheduler_unavailable, fmt::format("cluster {}: {}: {}", profile_.name, command, said));
  }

  void check_config() {
    const std::string config = answer(client_.show_config(), "scontrol show config");
    std::smatch match;
    // At most 9 digits, so that any number fits.
    if (std::regex_search(config, match, std::regex("MaxArraySize\\s*=\\s*(\\d{1,9})\\b")) &&
        std::stoll(match[1]) < profile_.array_limit + 1) {
      problems_.push_back(
          fmt::format("array_limit is {}; the site allows {}", profile_.array_limit, std::stoll(match[1]) - 1));
    }
    if (std::regex_search(config, match, std::regex("AccountingStorageType\\s*=\\s*(\\S+)"))) {
      fmt::print("accounting: {}\n", printable(match[1].str()));
    }
    if (std::regex_search(config, match, std::regex("MinJobAge\\s*=\\s*(\\d+)"))) {
      fmt::print("MinJobAge: {} s\n", match[1].str());
    }
  }

  void check_nodes() {
    const NodeList list = read_sinfo(answer(client_.show_nodes(profile_.partition), "sinfo"));
    Largest cores, memory, gpus;
    int64_t seconds = 0;
    bool any = false, no_limit = false;
    for (const NodeGroup& group : list.groups) {
      print_group(group);
      const int64_t found = profile_.gres.empty() ? 0 : group.count_of(profile_.gres);
      if (!profile_.gres.empty() && found == 0) continue;
      any = true;
      cores.add(group.cores);
      memory.add(group.memory);
      gpus.add({found, false});
      seconds = std::max(seconds, group.time_limit);
      no_limit |= group.time_limit <= 0;  // no limit, or one that cannot be read
    }
    for (const std::string& line : list.unread) fmt::print("sinfo: cannot read \"{}\"\n", printable(line));
    if (!any) {
      problems_.push_back(fmt::format("partition {} has no node with {}", profile_.partition,
                                      profile_.gres.empty() ? "anything" : profile_.gres));
      return;
    }
    at_most("cores_per_node", profile_.cores_per_node, cores);
    at_most("memory_per_node", profile_.memory_per_node, memory);
    if (!profile_.gres.empty()) at_most("gpus_per_node", profile_.gpus_per_node, gpus);
    if (!no_limit && profile_.time_limit > seconds) {
      problems_.push_back(fmt::format("time_limit is {}; the partition allows {}", format_duration(profile_.time_limit),
                                      format_duration(seconds)));
    }
  }

  static void print_group(const NodeGroup& group) {
    std::string devices;
    for (const NodeDevice& device : group.devices) {
      devices += fmt::format("{}{} {}{}{}", devices.empty() ? ", " : " + ", device.count, device.name,
                             device.type.empty() ? "" : ":", device.type);
    }
    fmt::print("partition {}: nodes of {}{} cores, {}{} MiB{}\n", printable(group.partition), group.cores.amount,
               group.cores.or_more ? " or more" : "", group.memory.amount, group.memory.or_more ? " or more" : "",
               printable(devices));
  }

  void at_most(const char* key, int64_t ours, const Largest& theirs) {
    if (ours <= theirs.known) return;
    if (theirs.or_more) {
      fmt::print("not compared: {} is {}; sinfo says {} or more\n", key, ours, theirs.known);
    } else {
      problems_.push_back(fmt::format("{} is {}; the largest node has {}", key, ours, theirs.known));
    }
  }

  const ClusterProfile& profile_;
  SlurmClient client_;
  std::vector<std::string> problems_;
};

struct CheckArguments {
  SubmitArguments job;
  bool with_job = false;
};

int check(const CheckArguments& arguments) {
  const ClusterProfile profile = read_profile(arguments.job.cluster);
  if (!profile.cluster.empty()) fmt::print("cluster: {}\n", profile.cluster);
  const std::vector<std::string> problems = Check(profile).run();
  for (const std::string& problem : problems) fmt::print("differs: {}\n", problem);
  if (!problems.empty()) return static_cast<int>(ExitCode::bad_input);
  fmt::print("{}: the profile agrees with the site\n", printable(profile.file));
  return arguments.with_job ? check_by_a_job(arguments.job) : static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_cluster(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<CheckArguments>();
  arguments->job.worker = worker_beside_this_program();
  CLI::App* cluster = app.add_subcommand("cluster", "Work with cluster profiles");
  cluster->require_subcommand(1);
  CLI::App* verb = cluster->add_subcommand(
      "check", "Compare a profile with the site's sinfo and scontrol, and test it with a short job");
  verb->add_option("NAME", arguments->job.cluster, "name of a profile (NAME of slurm/NAME.toml), or a .toml file")
      ->required();
  verb->add_flag(
      "--job", arguments->with_job,
      "also submit a job of about a minute, wait for it, and tell whether the worker starts with the modules\n"
      "of the profile: MPI with the right number of ranks, the GPU, HDF5");
  verb->add_option("--account", arguments->job.account, "the account to charge (default: the profile's)");
  verb->add_option("--worker", arguments->job.worker,
                   "wansweep-worker (default: the one beside wansweep, or the image's)");
  verb->add_option("--dir", arguments->job.directory, "the job's directory (default: a new one in out/)");
  verb->footer(
      "Exit code 2 when profile and site differ, 17 when the job failed, 20 when Slurm does not answer.\n\n"
      "Example:\n  wansweep cluster check aces --job");
  verb->callback([arguments, &action] { action = [arguments] { return check(*arguments); }; });
}

}  // namespace wansweep
