#include "tests/structure/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

namespace wansweep::test {
namespace {

namespace fs = std::filesystem;

void reach(const FolderGraph& graph, const std::string& from, std::set<std::string>& seen) {
  const auto found = graph.find(from);
  if (found == graph.end()) return;
  for (const std::string& next : found->second) {
    if (seen.insert(next).second) reach(graph, next, seen);
  }
}

}  // namespace

std::map<std::string, SourceFile> read_sources(const std::vector<std::string>& folders) {
  const std::set<std::string> endings{".cc", ".h", ".cu", ".cuh"};
  const fs::path root = WANSWEEP_SOURCE_DIR;
  std::map<std::string, SourceFile> sources;
  for (const std::string& folder : folders) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !endings.contains(entry.path().extension().string())) continue;
      SourceFile file;
      file.path = entry.path().lexically_relative(root).string();
      std::ifstream text(entry.path());
      for (std::string line; std::getline(text, line);) file.lines.push_back(line);
      sources.emplace(file.path, std::move(file));
    }
  }
  return sources;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream text(fs::path(WANSWEEP_SOURCE_DIR) / path);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> files_in(const std::string& folder, const std::string& ending) {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(WANSWEEP_SOURCE_DIR) / folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.ends_with(ending)) paths.push_back(folder + "/" + name);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> includes_of(const SourceFile& file) {
  static const std::regex include(R"re(^\s*#\s*include\s+"([^"]+)")re");
  std::vector<std::string> names;
  for (const std::string& line : file.lines) {
    std::smatch match;
    if (line.find("#") != std::string::npos && std::regex_search(line, match, include)) names.push_back(match[1]);
  }
  return names;
}

FolderGraph folder_graph(const std::map<std::string, SourceFile>& sources) {
  FolderGraph graph;
  for (const auto& [path, file] : sources) {
    for (const std::string& name : includes_of(file)) {
      const auto included = sources.find(name);
      if (included == sources.end() || included->second.folder() == file.folder()) continue;
      graph[file.folder()].insert(included->second.folder());
    }
  }
  return graph;
}

std::vector<std::string> folders_in_a_circle(const FolderGraph& graph) {
  std::vector<std::string> circles;
  for (const auto& [folder, included] : graph) {
    std::set<std::string> seen;
    reach(graph, folder, seen);
    if (seen.contains(folder)) circles.push_back(folder);
  }
  return circles;
}

}  // namespace wansweep::test
