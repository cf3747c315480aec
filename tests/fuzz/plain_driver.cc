// Runs a fuzz target where libFuzzer is missing: TARGET CORPUS [SECONDS [SEED]]. First it runs every file of the
// corpus; then, for SECONDS, changed copies of them. The same seed gives the same changes on every machine. The driver
// is not guided by coverage, but the sanitizers watch it in `make test`; `make fuzz` looks further. An input that
// crashes the target is left in crash-TARGET, in the current directory.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;
using Random = std::mt19937_64;

std::vector<std::string> read_corpus(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> corpus;
  for (const fs::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

// Numbers and texts at which readers of such formats break.
const std::vector<std::string> interesting{
    "0", "-1", "4294967296", "9223372036854775808", "1e999", "nan", "null", "\"\"", "[", "{", "}",
    "|", ".",  "\n",         std::string(1, '\0'),  "\xff"};

size_t below(Random& random, size_t end) { return end == 0 ? 0 : static_cast<size_t>(random() % end); }

void change(std::string& input, const std::vector<std::string>& corpus, Random& random) {
  const size_t at = below(random, input.size() + 1);
  const size_t count = 1 + below(random, 16);
  switch (random() % 7) {
    case 0:
      if (!input.empty()) input[at % input.size()] = static_cast<char>(random());
      break;
    case 1:
      if (!input.empty()) input[at % input.size()] ^= static_cast<char>(1 << random() % 8);
      break;
    case 2:
      input.erase(at, count);
      break;
    case 3:
      input.insert(at, interesting[below(random, interesting.size())]);
      break;
    case 4: {
      const std::string part = input.substr(below(random, input.size() + 1), count);
      for (size_t times = 1 + below(random, 64); times > 0; --times) input.insert(at, part);
      break;
    }
    case 5: {
      const std::string& other = corpus[below(random, corpus.size())];
      input.insert(at, other.substr(below(random, other.size() + 1), 4 * count));
      break;
    }
    default:
      input.resize(at);
  }
}

// The input under test. It is written to disk before it is tried.
class LastInput {
 public:
  explicit LastInput(std::string file)
      : file_(std::move(file)), fd_(open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {}
  ~LastInput() {
    close(fd_);
    unlink(file_.c_str());
  }
  LastInput(const LastInput&) = delete;
  LastInput& operator=(const LastInput&) = delete;
  void keep(const std::string& input) const {
    if (ftruncate(fd_, 0) != 0 || pwrite(fd_, input.data(), input.size(), 0) < 0) std::perror(file_.c_str());
  }

 private:
  std::string file_;
  int fd_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [SECONDS [SEED]]\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: the corpus is empty\n", argv[1]);
    return 2;
  }
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 0;
  Random random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  const LastInput last("crash-" + fs::path(argv[0]).filename().string());
  const auto run = [&](const std::string& input) {
    last.keep(input);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  };
  for (const std::string& input : corpus) run(input);
  int64_t tried = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    std::string input = corpus[below(random, corpus.size())];
    for (size_t changes = 1 + below(random, 8); changes > 0; --changes) change(input, corpus, random);
    run(input);
    ++tried;
  }
  std::printf("%zu inputs of the corpus, %lld changed ones\n", corpus.size(), static_cast<long long>(tried));
  return 0;
}
