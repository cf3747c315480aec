// What a report says first: which way of moving weights won, by how much, whether that is more than the spread of the
// repeats, how much memory it takes, and in which settings the runs differ from the model's official ones. Values go
// in, sentences come out; verdict_facts.h reads the values from the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/setting_values.h"

namespace wansweep {

// Whether the final latents of all repeats of a way are finite.
enum class LatentsState : uint8_t {
  finite,      // every value was counted, and is a number
  not_finite,  // some are infinite or not a number
  unknown,     // nobody counted
};

// One way of moving weights, in all its repeats. Seconds and bytes.
struct WayFacts {
  std::string name;                 // way_names.h: "swap", "planned within 16 GiB"
  std::optional<OffloadMode> mode;  // resident moves nothing while the loop runs: the baseline
  std::vector<double> totals;       // the loop's time, one a repeat; at least one
  std::vector<double> spikes;       // the switch step's time above the median step; empty: nothing switches, or unknown
  std::optional<double> device_peak;  // the highest of all ranks and repeats
  std::optional<double> host_peak;    // the highest sum over all ranks' host stores, of all repeats
  LatentsState latents = LatentsState::unknown;
  std::vector<std::string> digests;  // of the final latents, each once; empty: unknown

  bool is_resident() const { return mode == OffloadMode::resident; }
};

// Ways that compute the same on as many ranks, and so may be set against each other.
struct CaseFacts {
  std::string name;                    // the settings that vary in the sweep: "4 ranks, flow_shift 12"
  std::string engine;                  // the program that ran them
  std::optional<int64_t> switch_step;  // first step of the low-noise expert
  int64_t steps = 0;
  std::vector<WayFacts> ways;
};

// Runs that used a setting's value in place of the model's official one.
struct DriftFacts {
  std::string setting, used, official, origin;
  int64_t runs = 0;
  std::optional<int64_t> switch_used, switch_official;  // where the experts switch, if the setting decides it
};

// Runs of which nobody told settings that have an official value.
struct UntoldFacts {
  std::string settings;  // "flow_shift, guidance_scale"
  int64_t runs = 0;
  std::string example;  // one of them
};

// Runs that have no result.
struct UnfinishedFacts {
  std::string state;  // failed, not started, ...
  int64_t runs = 0;
  std::string example;  // one of them
  std::string problem;  // what is known of it; may be empty
};

struct VerdictFacts {
  std::vector<CaseFacts> cases;  // in the order in which the page shows them
  int64_t runs = 0;              // number of the sweep's runs, without those that a correction replaced
  int64_t official = 0;          // of these, the runs that are known to have used the model's official settings
  int64_t uncatalogued = 0;      // those for which the catalog has no official settings
  std::vector<DriftFacts> drifts;
  std::vector<UntoldFacts> untold;
  std::vector<UnfinishedFacts> unfinished;
  int64_t replaced = 0;         // runs that a correction replaced
  std::string shared_settings;  // of all ways that move weights, so not in their names; may be empty
};

// A line for each way: resident first, then the others from the fastest. The first column is the way's name; a column
// that would be empty in all lines is left out.
struct VerdictTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

struct SweepVerdict {
  struct Case {
    std::string name;
    std::vector<std::string> sentences;
    VerdictTable table;
  };
  std::vector<std::string> headline;  // sums up all cases: sentences, of which the first says who won
  std::vector<Case> cases;            // in the order of the facts
  std::vector<std::string> remarks;   // on the sweep as a whole: settings, unfinished and replaced runs, engines
};

SweepVerdict make_verdict(const VerdictFacts& facts);

}  // namespace wansweep
