#include <filesystem>
#include <fstream>

#include "tests/fuzz/fuzz.h"

namespace wansweep::fuzz {
namespace {

namespace fs = std::filesystem;

struct Directory {
  Directory() {
    const fs::path memory = "/dev/shm";
    std::error_code error;
    path = ((fs::is_directory(memory, error) ? memory : fs::temp_directory_path()) / "wansweep-fuzz-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
  }
  ~Directory() {
    std::error_code error;
    fs::remove_all(path, error);
  }
  std::string path;
};

}  // namespace

std::string scratch_directory() {
  static const Directory directory;
  return directory.path;
}

std::string write_scratch(const std::string& name, std::string_view bytes) {
  const std::string file = scratch_directory() + "/" + name;
  fs::create_directories(fs::path(file).parent_path());
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file;
}

}  // namespace wansweep::fuzz
