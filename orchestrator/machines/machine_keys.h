// Lists the keys of a machine's file and the member that each stands for. Both the reader and the writer in
// machine_file.cc go through this list, so that they cannot differ. Each of them is a `Keys`, which has
//
//   keys("name", member);              one value: text, a number, a switch, an enum's word, Measured
//   keys.optional("name", member);     one value that the file may leave out
//   keys.table("name", [](auto& keys) {...});
//   keys.list("name", members, [](auto& keys, auto& member) {...});
#pragma once

#include "orchestrator/machines/machine.h"

namespace wansweep {

template <class Keys>
void visit_keys(Keys& keys, ProbeShape& shape) {
  keys("heads", shape.heads);
  keys("head_dim", shape.head_dim);
  keys("ffn_dim", shape.ffn_dim);
  keys("patch_values", shape.patch_values);
  keys("text_dim", shape.text_dim);
  keys("freq_dim", shape.freq_dim);
  keys("text_tokens", shape.text_tokens);
  keys("tokens", shape.tokens);
  keys("tokens_per_rank", shape.tokens_per_rank);
  keys("heads_of_rank", shape.heads_of_rank);
  keys("ranks", shape.ranks);
  keys("cfg", shape.cfg);
  keys("ulysses", shape.ulysses);
  keys("ring", shape.ring);
  keys("guided", shape.guided);
  keys("order", shape.order);
  keys("precision", shape.precision);
  keys("exchange_groups", shape.exchange_groups);
}

template <class Keys>
void visit_keys(Keys& keys, BlockTimes& times) {
  visit_keys(keys, times.shape);
  keys("block", times.block);
  keys.optional("share_of_fastest", times.share_of_fastest);
  keys.optional("block_rest", times.block_rest);
  keys.optional("block_with_exchanges", times.block_with_exchanges);
  keys.optional("block_rest_with_exchanges", times.block_rest_with_exchanges);
  keys.optional("block_beside_copies", times.block_beside_copies);
  keys.optional("block_with_exchanges_beside_copies", times.block_with_exchanges_beside_copies);
  keys.optional("groups", times.groups);
  keys.optional("step_beside_blocks", times.step_beside_blocks);
}

template <class Keys>
void visit_keys(Keys& keys, ComputeRate& rate) {
  keys("precision", rate.precision);
  keys("rows", rate.rows);
  keys("tflops", rate.tflops);
}

template <class Keys>
void visit_keys(Keys& keys, CopyRate& rate) {
  keys("way", rate.way);
  keys("memory", rate.memory);
  keys("ranks", rate.ranks);
  keys("beside", rate.beside);
  keys("gb_per_second", rate.gb_per_second);
}

template <class Keys>
void visit_keys(Keys& keys, ExchangeRate& rate) {
  keys("ranks", rate.ranks);
  keys("beside", rate.beside);
  keys.optional("latency", rate.latency);
  keys("gb_per_second", rate.gb_per_second);
}

template <class Keys>
void visit_keys(Keys& keys, Machine& machine) {
  const auto each = [](auto& inner, auto& member) { visit_keys(inner, member); };
  keys("name", machine.name);
  keys("source", machine.source);
  keys("measured_at", machine.measured_at);
  keys("measured_on", machine.measured_on);
  keys.optional("wansweep", machine.wansweep);
  keys("backend", machine.backend);
  keys("card", machine.card);
  keys.optional("driver", machine.driver);
  keys("gpus_per_node", machine.gpus_per_node);
  keys.optional("cores", machine.cores);
  keys.optional("device_memory_gib", machine.device_memory_gib);
  keys.optional("power_watts", machine.power_watts);
  keys.table("host", [&](auto& inner) {
    inner.optional("memory_gib", machine.host.memory_gib);
    inner.optional("fill_gb_per_second", machine.host.fill_gb_per_second);
    inner.optional("register_gb_per_second", machine.host.register_gb_per_second);
  });
  keys.table("compute", [&](auto& inner) {
    inner.optional("elementwise_gb_per_second", machine.compute.elementwise_gb_per_second);
    inner.optional("step_seconds", machine.compute.step_seconds);
    inner.list("products", machine.compute.products, each);
    inner.list("attention", machine.compute.attention, each);
  });
  keys.table("links", [&](auto& inner) {
    inner.optional("emulated", machine.links.emulated);
    inner.optional("link_bandwidth", machine.links.link_bandwidth);
    inner.optional("link", machine.links.link);
    inner("exchanges_take", machine.links.exchanges_take);
    inner.optional("copy_latency", machine.links.copy_latency);
    inner.optional("computing_lost_per_gb", machine.links.computing_lost_per_gb);
    inner.list("copies", machine.links.copies, each);
    inner.list("exchanges", machine.links.exchanges, each);
  });
  keys.list("shapes", machine.shapes, each);
}

}  // namespace wansweep
