// The values of settings that are one of a few words. Each enum's name_of is the one table of its names: sweeps, flags,
// specs, traces and the database have the same words. To add a value, add it here; the compiler then names every place
// that has to say what it means.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/enum_names.h"

namespace wansweep {

// How an expert's weights reach the device while the loop runs.
enum class OffloadMode : uint8_t {
  resident,   // both experts are there from the start: the baseline
  swap,       // one expert at a time; at the switch it is copied out, then the other in (SGLang's --dit-cpu-offload)
  layerwise,  // blocks stream from the host while others compute (SGLang's --dit-layerwise-offload)
  snapshot,   // swap that copies nothing out: the host has kept it (SGLang's snapshot-offload)
  planned,    // blocks in the room of device_budget, brought by the schedule that moves least (schema/residency)
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
  branch,  // cond through all blocks, then uncond: a streamed block is brought twice a step
  block,   // both through a block before the next: it is brought once
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

// Which program runs the loop: this project's worker, or one that a study's team runs anyway (orchestrator/engines).
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

// Of the host store: pinned memory is copied by the device's own engines, pageable memory through a staging buffer.
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

// Where the host keeps the experts' weights: in a copy of each rank's own, or in one that all ranks of a node read.
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

// Whether a way to copy is taken; automatic: by what the worker measures before the loop.
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

// What computes.
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

// Of weights and activations; automatic is fp32 on cpu, bf16 on cuda.
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

// What moves data between ranks; automatic is mpi on cpu, nccl on cuda (ipc where ranks share a GPU).
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

// The cpu backend's host link: one for all ranks of a node, or one a rank.
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

// A trace row for each piece of work, or only between stalls.
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

// Whose rules decide the settings that are left open.
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

// Three published ways to place the sigmas: see schema/flow_schedule.h.
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
