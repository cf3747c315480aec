// The enums of settings whose value is one of a few words. Each enum's name_of is the only table of its names: sweeps,
// flags, specs, traces and the database use the same words. To add a value, add it here; the compiler then names every
// switch that has to handle it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/enum_names.h"

namespace wansweep {

// How an expert's weights reach the device while the loop runs.
enum class OffloadMode : uint8_t {
  resident,   // both experts are on the device from the start: the baseline
  swap,       // one expert at a time; at the switch it is copied out, then the other in (SGLang's --dit-cpu-offload)
  layerwise,  // blocks stream from the host while others compute (SGLang's --dit-layerwise-offload)
  snapshot,   // swap without the copy out: the host has kept the weights (SGLang's snapshot-offload)
  planned,    // blocks fill device_budget; the others are copied by the schedule that moves least (schema/residency)
};
constexpr std::string_view name_of(OffloadMode mode) {
  switch (mode) {
    case OffloadMode::resident:
      return "resident";
    case OffloadMode::swap:
      return "swap";
    case OffloadMode::layerwise:
      return "layerwise";
    case OffloadMode::snapshot:
      return "snapshot";
    case OffloadMode::planned:
      return "planned";
  }
  return {};
}

// In which order a rank that makes both forwards of a step, cond and uncond, takes them through the blocks.
enum class GuidanceOrder : uint8_t {
  branch,  // cond through all blocks, then uncond: a streamed block is copied twice a step
  block,   // both through each block before the next: a streamed block is copied once a step
};
constexpr std::string_view name_of(GuidanceOrder order) {
  switch (order) {
    case GuidanceOrder::branch:
      return "branch";
    case GuidanceOrder::block:
      return "block";
  }
  return {};
}

// The program that runs the loop: this project's worker, or another engine (orchestrator/engines).
enum class EngineKind : uint8_t { wansweep, sglang, diffusers };
constexpr std::string_view name_of(EngineKind engine) {
  switch (engine) {
    case EngineKind::wansweep:
      return "wansweep";
    case EngineKind::sglang:
      return "sglang";
    case EngineKind::diffusers:
      return "diffusers";
  }
  return {};
}

// The kind of memory of the host store: the device's copy engines read pinned memory directly, and pageable memory
// through a staging buffer.
enum class HostMemory : uint8_t { pinned, pageable };
constexpr std::string_view name_of(HostMemory kind) {
  switch (kind) {
    case HostMemory::pinned:
      return "pinned";
    case HostMemory::pageable:
      return "pageable";
  }
  return {};
}

// How many copies of the experts' weights a host keeps: one for each rank, or one that all ranks of the node read.
enum class HostStoreKind : uint8_t { per_rank, per_node };
constexpr std::string_view name_of(HostStoreKind kind) {
  switch (kind) {
    case HostStoreKind::per_rank:
      return "private";
    case HostStoreKind::per_node:
      return "shared";
  }
  return {};
}

// Whether an option is on; automatic: the worker decides by a measurement before the loop.
enum class Choice : uint8_t { off, automatic, on };
constexpr std::string_view name_of(Choice choice) {
  switch (choice) {
    case Choice::off:
      return "off";
    case Choice::automatic:
      return "auto";
    case Choice::on:
      return "on";
  }
  return {};
}

// The device that computes.
enum class BackendKind : uint8_t { cpu, cuda };
constexpr std::string_view name_of(BackendKind kind) {
  switch (kind) {
    case BackendKind::cpu:
      return "cpu";
    case BackendKind::cuda:
      return "cuda";
  }
  return {};
}

// The precision of weights and activations; automatic is fp32 on cpu, bf16 on cuda.
enum class Precision : uint8_t { automatic, fp32, bf16 };
constexpr std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::automatic:
      return "auto";
    case Precision::fp32:
      return "fp32";
    case Precision::bf16:
      return "bf16";
  }
  return {};
}

// The library that moves data between ranks; automatic is mpi on cpu, nccl on cuda (ipc when ranks share a GPU).
enum class CommunicatorKind : uint8_t { automatic, mpi, nccl, ipc };
constexpr std::string_view name_of(CommunicatorKind kind) {
  switch (kind) {
    case CommunicatorKind::automatic:
      return "auto";
    case CommunicatorKind::mpi:
      return "mpi";
    case CommunicatorKind::nccl:
      return "nccl";
    case CommunicatorKind::ipc:
      return "ipc";
  }
  return {};
}

// The cpu backend's host link: one for all ranks of a node, or one for each rank.
enum class LinkSharing : uint8_t { shared, per_rank };
constexpr std::string_view name_of(LinkSharing sharing) {
  switch (sharing) {
    case LinkSharing::shared:
      return "shared";
    case LinkSharing::per_rank:
      return "per-rank";
  }
  return {};
}

// One trace row for each piece of work, or one for all work between two stalls.
enum class TraceDetail : uint8_t { step, block };
constexpr std::string_view name_of(TraceDetail detail) {
  switch (detail) {
    case TraceDetail::step:
      return "step";
    case TraceDetail::block:
      return "block";
  }
  return {};
}

// The rules that decide the settings left open.
enum class ResolverKind : uint8_t { files, sglang_2025_12, sglang_2026_03, sglang_2026_09 };
constexpr std::string_view name_of(ResolverKind kind) {
  switch (kind) {
    case ResolverKind::files:
      return "files";
    case ResolverKind::sglang_2025_12:
      return "sglang-2025-12";
    case ResolverKind::sglang_2026_03:
      return "sglang-2026-03";
    case ResolverKind::sglang_2026_09:
      return "sglang-2026-09";
  }
  return {};
}

// Three published ways to place the sigmas; schema/flow_schedule.h has the formulas.
enum class SigmaSchedule : uint8_t { diffusers, sglang, wan };
constexpr std::string_view name_of(SigmaSchedule schedule) {
  switch (schedule) {
    case SigmaSchedule::diffusers:
      return "diffusers";
    case SigmaSchedule::sglang:
      return "sglang";
    case SigmaSchedule::wan:
      return "wan";
  }
  return {};
}

}  // namespace wansweep
