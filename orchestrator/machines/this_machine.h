// The machine that this program runs on, as far as it can be seen without using a GPU.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

struct SeenMachine {
  std::vector<std::string> cards;  // the driver's name of each GPU; empty: no GPU, or not known
  std::string driver;              // empty: not known
  std::string processor;           // empty: not known
};

// Asks the program `nvidia_smi`, where it exists, and the kernel. Never throws: what cannot be found out stays empty.
SeenMachine see_this_machine(const std::string& nvidia_smi = "nvidia-smi");

}  // namespace wansweep
