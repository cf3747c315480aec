#include "worker/weights/host_store.h"

#include <fmt/format.h>

namespace wansweep {

HostStore::HostStore(Device& device, const WeightBytes& bytes, HostMemory kind, const WeightSource& source)
    : bytes_(bytes) {
  for (int expert = 0; expert < bytes.experts; ++expert) {
    Buffer& memory = experts_.emplace_back(
        device.allocate_host(bytes.expert(), kind, fmt::format("host copy of expert {}", expert + 1)));
    for (int block = 0; block < bytes.layers; ++block) source.read(expert, block, memory.data() + block * bytes.block);
    source.read(expert, outside_blocks, memory.data() + bytes.layers * bytes.block);
  }
}

std::span<const std::byte> HostStore::piece(int expert, int block) const {
  const std::byte* memory = experts_.at(static_cast<size_t>(expert)).data();
  if (block == outside_blocks) {
    return {memory + bytes_.layers * bytes_.block, static_cast<size_t>(bytes_.other)};
  }
  return {memory + block * bytes_.block, static_cast<size_t>(bytes_.block)};
}

}  // namespace wansweep
