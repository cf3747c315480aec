// The project's sources as text, for tests of how they are arranged.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace wansweep::test {

struct SourceFile {
  std::string path;  // from the project's root: "schema/run_plan.cc"
  std::vector<std::string> lines;

  std::string folder() const { return path.substr(0, path.rfind('/')); }
  std::string floor() const { return path.substr(0, path.find('/')); }
};

// Every .cc, .h, .cu and .cuh in these folders of the project, by path.
std::map<std::string, SourceFile> read_sources(const std::vector<std::string>& folders);

// The lines of a file, its path given from the project's root; none when it does not exist.
std::vector<std::string> read_lines(const std::string& path);

// Paths of the regular files directly in a folder of the project whose names end with `ending`, sorted.
std::vector<std::string> files_in(const std::string& folder, const std::string& ending);

// Names in `#include "..."`, in order.
std::vector<std::string> includes_of(const SourceFile& file);

using FolderGraph = std::map<std::string, std::set<std::string>>;

// Which folder includes which other, by what its files include of `sources`.
FolderGraph folder_graph(const std::map<std::string, SourceFile>& sources);

// Folders that reach themselves.
std::vector<std::string> folders_in_a_circle(const FolderGraph& graph);

}  // namespace wansweep::test
