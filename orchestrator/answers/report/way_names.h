// The names that a page gives to ways of moving weights. The database's label of a way (run_settings.offload) lists all
// of its settings; a page names those that tell the ways apart, and says once what all of them share.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestrator/store/database.h"
#include "schema/setting_values.h"

namespace wansweep {

struct WaySettings {
  std::optional<OffloadMode> mode;            // nullopt: a mode that this version does not know
  std::map<std::string, std::string> values;  // by the setting's name, as the database holds them
};

struct WayNames {
  // By label: "planned auto of 16 GiB block order shared" is "planned within 16 GiB (block order)". The names are as
  // distinct as the labels are.
  std::map<std::string, std::string> by_label;
  // What all ways that move weights have in common beside the defaults, as settings: "host_store shared". May be empty.
  std::string shared;

  std::string name_of(const std::string& label) const;  // the label itself when it is no way's
};

WayNames name_ways(const std::map<std::string, WaySettings>& ways);

// The settings of each way of the sweep, by label.
std::map<std::string, WaySettings> read_ways(Store& store, const std::string& sweep);

}  // namespace wansweep
