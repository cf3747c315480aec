#pragma once

#include <chrono>
#include <thread>

namespace wansweep {

inline void nap(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

}  // namespace wansweep
