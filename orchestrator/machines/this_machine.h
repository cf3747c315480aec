// The machine that this program runs on, as far as it can be seen without using a GPU.
#pragma once

#include <string>
#include <vector>

namespace wansweep {

struct SeenMachine {
  std::vector<std::string> cards;  // one a GPU, as its driver calls it; empty: none, or nobody tells
  std::string driver;              // empty: not known
  std::string processor;           // empty: not known
};

// Asks nvidia-smi, where there is one, and the kernel. Throws nothing: what cannot be seen stays empty.
SeenMachine see_this_machine(const std::string& nvidia_smi = "nvidia-smi");

}  // namespace wansweep
