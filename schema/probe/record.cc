// For each struct, a function visit() names the members. Both the writer and the reader use it, so that they cannot
// differ. The reader refuses a member that is missing, unknown or out of range; `where` names it in the error.

#include "schema/probe/record.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace wansweep {
namespace {

using nlohmann::json;

template <typename T, typename Base>
concept Same = std::same_as<std::remove_const_t<T>, Base>;

template <typename Visitor, Same<ProbeShape> T>
void visit(Visitor& at, T& shape) {
  at("heads", shape.heads);
  at("head_dim", shape.head_dim);
  at("ffn_dim", shape.ffn_dim);
  at("patch_values", shape.patch_values);
  at("text_dim", shape.text_dim);
  at("freq_dim", shape.freq_dim);
  at("text_tokens", shape.text_tokens);
  at("tokens", shape.tokens);
  at("tokens_per_rank", shape.tokens_per_rank);
  at("heads_of_rank", shape.heads_of_rank);
  at("ranks", shape.ranks);
  at("cfg", shape.cfg);
  at("ulysses", shape.ulysses);
  at("ring", shape.ring);
  at("guided", shape.guided);
  at("guidance_order", shape.order);
  at("precision", shape.precision);
  at("exchange_groups", shape.exchange_groups);
}

template <typename Visitor, Same<ProbedMachine> T>
void visit(Visitor& at, T& machine) {
  at("backend", machine.backend);
  at("communicator", machine.communicator);
  at("device", machine.device);
  at("driver", machine.driver);
  at("host", machine.host);
  at("gpus", machine.gpus);
  at("node_ranks", machine.node_ranks);
  at("processors", machine.processors);
  at("host_memory", machine.host_memory);
  at("device_memory", machine.device_memory);
  at("power_limit_mw", machine.power_limit_mw);
  at("share_device", machine.share_device);
  at("link_bandwidth", machine.link_bandwidth);
  at("link", machine.link);
}

template <typename Visitor, Same<ProbeSample> T>
void visit(Visitor& at, T& sample) {
  at("what", sample.what);
  at("shape", sample.shape);
  at("bytes", sample.bytes);
  at("operations", sample.operations);
  at("sizes", sample.sizes);
  at("ranks", sample.ranks);
  at("beside", sample.beside);
  at("memory", sample.memory);
  at("seconds", sample.seconds);
  at("fastest_seconds", sample.fastest_seconds);
  at("power_mw", sample.power_mw);
  at("sm_clock_mhz", sample.sm_clock_mhz);
}

template <typename Visitor, Same<NotMeasured> T>
void visit(Visitor& at, T& missing) {
  at("what", missing.what);
  at("why", missing.why);
}

template <typename Visitor, Same<ProbeRecord> T>
void visit(Visitor& at, T& record) {
  at("started_at", record.started_at);
  at("finished_at", record.finished_at);
  at("wansweep_version", record.wansweep_version);
  at("git_revision", record.git_revision);
  at("ranks", record.ranks);
  at("seconds_allowed", record.seconds_allowed);
  at("machine", record.machine);
  at("shapes", record.shapes);
  at("samples", record.samples);
  at("not_measured", record.not_measured);
}

class Writer {
 public:
  template <typename T>
  void operator()(const char* key, const T& value) {
    object_[key] = of(value);
  }
  json take() { return std::move(object_); }

  template <typename T>
  static json of(const T& value) {
    if constexpr (NamedEnum<T>) {
      return name_of(value);
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else if constexpr (requires { value.has_value(); }) {
      return value ? of(*value) : json();
    } else if constexpr (requires { value.begin(); }) {
      json list = json::array();
      for (const auto& each : value) list.push_back(of(each));
      return list;
    } else {
      Writer writer;
      visit(writer, value);
      return writer.take();
    }
  }

 private:
  json object_ = json::object();
};

class RecordReader {
 public:
  RecordReader(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) refuse("an object", object, where_);
  }

  template <typename T>
  void operator()(const char* key, T& value) {
    ++known_;
    const std::string where = where_ + (where_.ends_with(": ") ? "" : ".") + key;
    const auto found = object_.find(key);
    if (found == object_.end()) throw bad_input(where + " is missing");
    value = read<T>(*found, where);
    keys_.emplace_back(key);
  }

  void refuse_others() const {
    if (known_ == object_.size()) return;
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(keys_, key) != keys_.end()) continue;
      throw bad_input(fmt::format("{}{} is not known; a newer wansweep may have written it",
                                  where_ + (where_.ends_with(": ") ? "" : "."), key));
    }
  }

 private:
  [[noreturn]] static void refuse(const std::string& needed, const json& found, const std::string& where) {
    constexpr size_t most = 60;
    std::string text = found.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > most) text = text.substr(0, most) + "...";
    throw bad_input(fmt::format("{} is {}; {} is needed", where, text, needed));
  }

  template <typename T>
  static T read(const json& value, const std::string& where) {
    if constexpr (NamedEnum<T>) {
      const auto named = value.is_string() ? value_named<T>(value.get<std::string>()) : std::nullopt;
      if (!named) refuse(fmt::format("one of {}", fmt::join(names_of<T>(), ", ")), value, where);
      return *named;
    } else if constexpr (std::same_as<T, bool>) {
      if (!value.is_boolean()) refuse("true or false", value, where);
      return value.get<bool>();
    } else if constexpr (std::integral<T>) {
      constexpr uint64_t most = std::numeric_limits<T>::max();
      if (!value.is_number_unsigned() || value.get<uint64_t>() > most) {
        refuse(fmt::format("a whole number from 0 to {}", most), value, where);
      }
      return value.get<T>();
    } else if constexpr (std::same_as<T, double>) {
      if (!value.is_number() || !(value.get<double>() >= 0) || !std::isfinite(value.get<double>())) {
        refuse("a number from 0", value, where);
      }
      return value.get<double>();
    } else if constexpr (std::same_as<T, std::string>) {
      if (!value.is_string()) refuse("a text", value, where);
      return value.get<std::string>();
    } else if constexpr (requires(T t) { t.has_value(); }) {
      if (value.is_null()) return std::nullopt;
      return read<typename T::value_type>(value, where);
    } else if constexpr (requires(T t) { t.begin(); }) {
      return read_list<T>(value, where);
    } else {
      T whole;
      RecordReader reader(value, where);
      visit(reader, whole);
      reader.refuse_others();
      return whole;
    }
  }

  template <typename T>
  static T read_list(const json& value, const std::string& where) {
    if (!value.is_array()) refuse("a list", value, where);
    T list{};
    if constexpr (requires { list.resize(value.size()); }) {
      list.resize(value.size());
    } else if (value.size() != list.size()) {
      refuse(fmt::format("a list of {}", list.size()), value, where);
    }
    for (size_t i = 0; i < value.size(); ++i) {
      list[i] = read<typename T::value_type>(value[i], fmt::format("{}[{}]", where, i));
    }
    return list;
  }

  const json& object_;
  std::string where_;
  size_t known_ = 0;
  std::vector<std::string> keys_;
};

// Checks what the kinds of the members alone do not ensure.
void check(const ProbeRecord& record, const std::string& name) {
  if (record.ranks < 1) throw bad_input(fmt::format("{}: ranks is 0; at least 1 is needed", name));
  for (size_t i = 0; i < record.samples.size(); ++i) {
    const ProbeSample& sample = record.samples[i];
    const std::string where = fmt::format("{}: samples[{}]", name, i);
    if (sample.shape && static_cast<size_t>(*sample.shape) >= record.shapes.size()) {
      throw bad_input(fmt::format("{}.shape is {}; there are {} shapes", where, *sample.shape, record.shapes.size()));
    }
    if (sample.ranks < 1 || sample.ranks > record.ranks) {
      throw bad_input(fmt::format("{}.ranks is {}; the probe had {}", where, sample.ranks, record.ranks));
    }
    if (sample.seconds.empty()) throw bad_input(where + ".seconds is empty; a sample has at least one");
    if (sample.fastest_seconds.size() != sample.seconds.size()) {
      throw bad_input(fmt::format("{}.fastest_seconds is a list of {}; a list of {} is needed, as seconds is", where,
                                  sample.fastest_seconds.size(), sample.seconds.size()));
    }
    for (const auto& [name_of_times, times] :
         {std::pair("seconds", &sample.seconds), {"fastest_seconds", &sample.fastest_seconds}}) {
      if (std::ranges::all_of(*times, [](double seconds) { return seconds > 0; })) continue;
      throw bad_input(fmt::format("{}.{} holds 0; each must be above 0", where, name_of_times));
    }
  }
}

}  // namespace

ProbeShape probe_shape_of(const RunPlan& run) {
  const ModelConfig& config = run.model.config;
  const ParallelPlan& plan = run.parallel;
  ProbeShape shape;
  shape.heads = config.heads;
  shape.head_dim = config.head_dim;
  shape.ffn_dim = config.ffn_dim;
  shape.patch_values = config.patch_values();
  shape.text_dim = config.text_dim;
  shape.freq_dim = config.freq_dim;
  shape.text_tokens = run.input.text_tokens;
  shape.tokens = plan.tokens;
  shape.tokens_per_rank = plan.tokens_per_rank;
  shape.heads_of_rank = plan.heads_per_ulysses_rank.front();
  shape.ranks = plan.ranks;
  shape.cfg = plan.cfg;
  shape.ulysses = plan.ulysses;
  shape.ring = plan.ring;
  shape.guided = run.guided;
  shape.order = run.settings.guidance_order;
  shape.precision = run.type == DType::f32 ? Precision::fp32 : Precision::bf16;
  shape.exchange_groups = run.settings.exchange_groups;
  return shape;
}

std::string probe_record_text(const ProbeRecord& record) {
  json value = Writer::of(record);
  value["version"] = probe_record_version;
  return value.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

ProbeRecord parse_probe_record(const std::string& text, const std::string& name) {
  const json value = parse_json_object(text, name);
  RecordReader reader(value, name + ": ");
  int version = 0;
  reader("version", version);
  if (version != probe_record_version) {
    throw bad_input(fmt::format("{}: version is {}; this wansweep reads {}", name, version, probe_record_version));
  }
  ProbeRecord record;
  visit(reader, record);
  reader.refuse_others();
  check(record, name);
  return record;
}

ProbeRecord read_probe_record(const std::string& file) { return parse_probe_record(read_text(file), file); }

}  // namespace wansweep
