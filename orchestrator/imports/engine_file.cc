#include "orchestrator/imports/engine_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <istream>
#include <regex>

#include "base/error.h"
#include "base/sha256.h"
#include "orchestrator/imports/engine_log.h"
#include "orchestrator/imports/gzip_stream.h"
#include "orchestrator/imports/kineto_trace.h"
#include "orchestrator/imports/nsight_export.h"
#include "orchestrator/imports/perf_dump.h"

namespace wansweep {
namespace {

constexpr size_t looked_at = 1 << 16;  // bytes at the beginning of a file, after unpacking, that decide its kind

std::string beginning_of(const std::string& file) {
  GzipStream buffer(file);
  std::string text(looked_at, '\0');
  text.resize(static_cast<size_t>(buffer.sgetn(text.data(), static_cast<std::streamsize>(text.size()))));
  return text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

EngineFileKind kind_of(const std::string& file) {
  const std::string text = beginning_of(file);
  if (text.starts_with("SQLite format 3")) return EngineFileKind::nsight_export;
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == text.npos) throw bad_input(fmt::format("{}: is empty", file));
  if (text[first] == '{') {
    if (has(text, "\"wansweep-steps-")) return EngineFileKind::step_record;
    if (has(text, "\"total_duration_ms\"")) return EngineFileKind::perf_dump;
    return EngineFileKind::kineto_trace;
  }
  if (text[first] == '[' && has(text, "\"ph\"")) return EngineFileKind::kineto_trace;
  if (has(text.substr(0, 4), "\x89HDF")) {
    throw bad_input(fmt::format("{}: is a trace of wansweep-worker; read it with `wansweep gather`", file));
  }
  if (text.find('\0') != text.npos) {
    throw bad_input(
        fmt::format("{}: cannot be imported; give a perf dump, a profiler's trace, an SQLite export "
                    "of Nsight Systems (nsys export --type sqlite) or a log",
                    file));
  }
  return EngineFileKind::engine_log;
}

std::optional<int> rank_in_name(const std::string& file) {
  static const std::regex pattern("rank[-_]?([0-9]{1,4})([^0-9]|$)", std::regex::icase);
  const std::string name = std::filesystem::path(file).filename().string();
  std::smatch match;
  if (!std::regex_search(name, match, pattern)) return std::nullopt;
  return std::stoi(match[1].str());
}

EngineTrace read_by_kind(EngineFileKind kind, const std::string& file, KernelClasses& classes) {
  switch (kind) {
    case EngineFileKind::perf_dump:
      return read_perf_dump(file);
    case EngineFileKind::step_record:
      return read_step_record(file);
    case EngineFileKind::kineto_trace:
      return read_kineto_trace(file, classes);
    case EngineFileKind::nsight_export:
      return read_nsight_export(file, classes);
    case EngineFileKind::engine_log:
      break;
  }
  return read_engine_log(file);
}

}  // namespace

EngineTrace read_engine_file(const std::string& file, KernelClasses& classes) {
  EngineTrace trace = read_by_kind(kind_of(file), file, classes);
  if (!trace.rank) trace.rank = rank_in_name(file);
  trace.sha256 = sha256_file(file);
  trace.bytes = static_cast<int64_t>(std::filesystem::file_size(file));
  return trace;
}

}  // namespace wansweep
