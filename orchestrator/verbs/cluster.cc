#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <regex>
#include <sstream>
#include <string>

#include "base/error.h"
#include "orchestrator/verbs/verbs.h"
#include "slurm/client.h"
#include "slurm/profile.h"

namespace wansweep {
namespace {

// Finds what the profile says and the site does not bear out; a line each.
class Check {
 public:
  explicit Check(const ClusterProfile& profile) : profile_(profile), client_(profile.command_timeout) {}

  std::vector<std::string> run() {
    check_config();
    check_nodes();
    return problems_;
  }

 private:
  std::string answer(const CommandResult& result, const char* command) {
    if (result.exit_code == 0) return result.out;
    std::string said = result.timed_out ? "no answer" : result.err.substr(0, result.err.find('\n'));
    throw Error(ExitCode::store_busy, fmt::format("cluster {}: {}: {}", profile_.name, command, said));
  }

  void check_config() {
    const std::string config = answer(client_.show_config(), "scontrol show config");
    std::smatch match;
    if (std::regex_search(config, match, std::regex("MaxArraySize\\s*=\\s*(\\d+)")) &&
        std::stoll(match[1]) < profile_.array_limit + 1) {
      problems_.push_back(
          fmt::format("array_limit is {}; the site takes {}", profile_.array_limit, std::stoll(match[1]) - 1));
    }
    if (std::regex_search(config, match, std::regex("AccountingStorageType\\s*=\\s*(\\S+)"))) {
      fmt::print("accounting: {}\n", match[1].str());
    }
    if (std::regex_search(config, match, std::regex("MinJobAge\\s*=\\s*(\\d+)"))) {
      fmt::print("MinJobAge: {} s\n", match[1].str());
    }
  }

  void check_nodes() {
    std::istringstream stream(answer(client_.show_nodes(profile_.partition), "sinfo"));
    int64_t cores = 0, memory = 0, gpus = 0, seconds = 0;
    bool any = false, unlimited = false;
    for (std::string line; std::getline(stream, line);) {
      fmt::print("{}\n", line);
      std::vector<std::string> f;
      std::istringstream fields(line);
      for (std::string field; std::getline(fields, field, '|');) f.push_back(field);
      if (f.size() < 7) continue;
      const int64_t found = gpus_of(f[6]);
      if (!profile_.gres.empty() && found == 0) continue;
      any = true;
      cores = std::max<int64_t>(cores, std::atoll(f[4].c_str()));
      memory = std::max<int64_t>(memory, std::atoll(f[5].c_str()));
      gpus = std::max(gpus, found);
      seconds = std::max(seconds, parse_duration(f[2]));
      unlimited |= parse_duration(f[2]) == 0;
    }
    if (!any) {
      problems_.push_back(fmt::format("partition {} has no node with {}", profile_.partition,
                                      profile_.gres.empty() ? "anything" : profile_.gres));
      return;
    }
    at_most("cores_per_node", profile_.cores_per_node, cores);
    at_most("memory_per_node", profile_.memory_per_node, memory);
    if (!profile_.gres.empty()) at_most("gpus_per_node", profile_.gpus_per_node, gpus);
    if (!unlimited && profile_.time_limit > seconds) {
      problems_.push_back(fmt::format("time_limit is {}; the partition allows {}", format_duration(profile_.time_limit),
                                      format_duration(seconds)));
    }
  }

  // N of "gpu:h100:6(S:0)" among others, where the profile's gres is "gpu:h100".
  int64_t gpus_of(const std::string& gres) const {
    if (profile_.gres.empty()) return 0;
    const size_t at = gres.find(profile_.gres + ":");
    return at == std::string::npos ? 0 : std::atoll(gres.c_str() + at + profile_.gres.size() + 1);
  }

  void at_most(const char* key, int64_t ours, int64_t theirs) {
    if (ours > theirs) problems_.push_back(fmt::format("{} is {}; the largest node has {}", key, ours, theirs));
  }

  const ClusterProfile& profile_;
  SlurmClient client_;
  std::vector<std::string> problems_;
};

int check(const std::string& name) {
  const ClusterProfile profile = read_profile(name);
  const std::vector<std::string> problems = Check(profile).run();
  for (const std::string& problem : problems) fmt::print("differs: {}\n", problem);
  if (problems.empty()) fmt::print("{}: the site bears out what the profile says\n", profile.file);
  return static_cast<int>(problems.empty() ? ExitCode::ok : ExitCode::bad_input);
}

}  // namespace

void add_cluster(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  CLI::App* cluster = app.add_subcommand("cluster", "Cluster profiles");
  cluster->require_subcommand(1);
  CLI::App* verb = cluster->add_subcommand("check", "Compare a profile with what the site's sinfo and scontrol say");
  verb->add_option("NAME", *name, "NAME of slurm/NAME.toml, or a .toml file")->required();
  verb->footer("Exit code 2 when they differ.\n\nExample:\n  wansweep cluster check aces");
  verb->callback([name, &action] { action = [name] { return check(*name); }; });
}

}  // namespace wansweep
