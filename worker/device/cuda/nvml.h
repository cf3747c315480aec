// What only the management library knows of a GPU. It comes with the driver, so it is opened at run time; without it
// the description is shorter.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace wansweep {

nlohmann::json describe_by_nvml(const std::string& pci_bus_id);

}  // namespace wansweep
