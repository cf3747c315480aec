#include "orchestrator/predict/number_text.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace wansweep {
namespace {

struct NumberName {
  std::string what;
  std::string_view unit;  // with a space in front; empty for a factor
};

// The first of the named members that `number` is; an empty name when it is none.
template <typename Owner, size_t count>
std::string member_name(const Owner& owner, const Measured& number,
                        const std::array<std::pair<Measured Owner::*, std::string_view>, count>& names) {
  for (const auto& [member, name] : names) {
    if (&(owner.*member) == &number) return std::string(name);
  }
  return {};
}

constexpr std::array<std::pair<Measured BlockTimes::*, std::string_view>, 7> of_blocks{
    {{&BlockTimes::block, "a block without its exchanges"},
     {&BlockTimes::block_rest, "the first block of a second forward, without its exchanges"},
     {&BlockTimes::block_with_exchanges, "a block with its exchanges"},
     {&BlockTimes::block_rest_with_exchanges, "the first block of a second forward, with its exchanges"},
     {&BlockTimes::block_beside_copies, "a block without its exchanges, beside copies"},
     {&BlockTimes::block_with_exchanges_beside_copies, "a block with its exchanges, beside copies"},
     {&BlockTimes::step_beside_blocks, "a step's work outside blocks"}}};

constexpr std::array<std::pair<Measured PlayDoubt::*, std::string_view>, 8> of_doubts{
    {{&PlayDoubt::computing, "how fast a processor that others use computes"},
     {&PlayDoubt::loop, "the simulation of steps"},
     {&PlayDoubt::way, "the simulation of a way"},
     {&PlayDoubt::one_step, "how much one step differs from the next"},
     {&PlayDoubt::copies, "the simulation of copies"},
     {&PlayDoubt::waiting, "the simulation of waiting"},
     {&PlayDoubt::in_together, "the rate of copies in that several ranks make at once"},
     {&PlayDoubt::out_together, "the rate of copies out that several ranks make at once"}}};

std::string_view beside(Beside what) {
  switch (what) {
    case Beside::nothing:
      return "";
    case Beside::exchange:
      return " beside exchanges";
    case Beside::copies:
      return " beside copies";
  }
  return {};
}

NumberName name_in_compute(const ComputeRates& compute, const Measured& number) {
  for (const ComputeRate& each : compute.products) {
    if (&each.tflops == &number) return {fmt::format("matrix products of {} rows", each.rows), " TFLOP/s"};
  }
  for (const ComputeRate& each : compute.attention) {
    if (&each.tflops == &number) return {fmt::format("attention of {} queries", each.rows), " TFLOP/s"};
  }
  if (&compute.elementwise_gb_per_second == &number) return {"elementwise operations", " GB/s"};
  if (&compute.step_seconds == &number) return {"a step's work on the host", " s"};
  return {};
}

NumberName name_in_links(const Links& links, const Measured& number) {
  for (const CopyRate& each : links.copies) {
    if (&each.gb_per_second != &number) continue;
    return {fmt::format("copies {} by {} rank{} at once, {}{}", each.way == Way::in ? "to the device" : "to the host",
                        each.ranks, each.ranks == 1 ? "" : "s", name_of(each.memory), beside(each.beside)),
            " GB/s"};
  }
  for (const ExchangeRate& each : links.exchanges) {
    const std::string exchanges = fmt::format("exchanges among {} ranks{}", each.ranks, beside(each.beside));
    if (&each.gb_per_second == &number) return {exchanges, " GB/s"};
    if (&each.latency == &number) return {"the latency of " + exchanges, " s"};
  }
  if (&links.copy_latency == &number) return {"the latency of copies", " s"};
  if (&links.computing_lost_per_gb == &number) return {"computing lost for each GB copied", " s"};
  return {};
}

NumberName name_in(const Machine& machine, const Measured& number) {
  if (NumberName name = name_in_compute(machine.compute, number); !name.what.empty()) return name;
  if (NumberName name = name_in_links(machine.links, number); !name.what.empty()) return name;
  for (const BlockTimes& each : machine.shapes) {
    if (&each.share_of_fastest == &number) return {"the fastest rank's time for a block, as a share", ""};
    if (std::string name = member_name(each, number, of_blocks); !name.empty()) {
      return {fmt::format("{}, {} rank{}", name, each.shape.ranks, each.shape.ranks == 1 ? "" : "s"), " s"};
    }
  }
  if (&machine.host.fill_gb_per_second == &number) return {"filling host memory", " GB/s"};
  if (&machine.host.register_gb_per_second == &number) return {"pinning host memory", " GB/s"};
  if (std::string name = member_name(machine.play_doubt, number, of_doubts); !name.empty()) return {name, ""};
  return {"a number of machine " + machine.name, ""};
}

}  // namespace

std::string number_text(const Machine& machine, const Measured& number) {
  const NumberName name = name_in(machine, number);
  return fmt::format("{}: {:.4g}{} ({:.4g} to {:.4g})", name.what, number.value, name.unit, number.low, number.high);
}

}  // namespace wansweep
