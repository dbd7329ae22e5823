// Runs a fuzz target where libFuzzer is not at hand: mutates the corpus by a seeded generator, a fixed number of times.
// The same seed gives the same inputs; after a crash, `--only N` runs the named input again.
//
//   fuzz_event --corpus FOLDER --suffix .event [--seed S] [--iterations N] [--only N]
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

using Input = std::vector<std::uint8_t>;

// For the crash handler, which may only write what is ready.
char crash_line[128];

void on_crash(int signal) {
  (void)!::write(STDERR_FILENO, crash_line, std::strlen(crash_line));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::vector<Input> read_corpus(const std::string& folder, const std::string& suffix) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == suffix) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(const std::vector<Input>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  Input next() {
    Input input = corpus_[below(corpus_.size())];
    for (std::size_t times = 1 + below(4); times > 0; --times) mutate(input);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  void mutate(Input& input) {
    if (input.empty()) return input.push_back(static_cast<std::uint8_t>(random_()));
    const std::size_t at = below(input.size());
    const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(7)) {
      case 0:
        input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << below(8)));
        break;
      case 1:
        input[at] = static_cast<std::uint8_t>(random_());
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.insert(here, 1 + below(16), static_cast<std::uint8_t>(random_()));
        break;
      case 4:
        input.erase(here, here + static_cast<std::ptrdiff_t>(1 + below(std::min<std::size_t>(16, input.size() - at))));
        break;
      case 5:
        put_number(input, at);
        break;
      default:
        splice(input, at);
    }
  }
  // A number of the kind that breaks bounds, little endian, often where one lies.
  void put_number(Input& input, std::size_t at) {
    constexpr std::uint64_t kNumbers[] = {0,
                                          1,
                                          4,
                                          0x7F,
                                          0x80,
                                          0xFF,
                                          0x100,
                                          0x7FFF,
                                          0xFFFF,
                                          0x7FFFFFFF,
                                          0xFFFFFFFC,
                                          0xFFFFFFFF,
                                          0x7FF8000000000000,
                                          0x7FFFFFFFFFFFFFFF,
                                          0xFFFFFFFFFFFFFFFF};
    const std::uint64_t number = kNumbers[below(std::size(kNumbers))];
    const std::size_t width = std::size_t{1} << below(4);
    at &= ~(width - 1);
    if (at + width <= input.size()) std::memcpy(input.data() + at, &number, width);
  }
  void splice(Input& input, std::size_t at) {
    const Input& other = corpus_[below(corpus_.size())];
    if (other.empty()) return;
    const std::size_t from = below(other.size());
    const std::size_t size = 1 + below(std::min<std::size_t>(64, other.size() - from));
    input.resize(std::max(input.size(), at + size));
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(from), size, input.begin() + static_cast<std::ptrdiff_t>(at));
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string folder = ".";
  std::string suffix;
  std::uint64_t seed = 1;
  std::uint64_t iterations = 20'000;
  std::uint64_t only = UINT64_MAX;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--corpus") folder = argv[i + 1];
    if (name == "--suffix") suffix = argv[i + 1];
    if (name == "--seed") seed = std::stoull(argv[i + 1]);
    if (name == "--iterations") iterations = std::stoull(argv[i + 1]);
    if (name == "--only") only = std::stoull(argv[i + 1]);
  }
  const std::vector<Input> corpus = read_corpus(folder, suffix);
  if (corpus.empty()) {
    std::fprintf(stderr, "no files *%s under %s\n", suffix.c_str(), folder.c_str());
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_crash);
  std::snprintf(crash_line, sizeof crash_line, "crashed on the corpus itself\n");
  for (const Input& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  if (only != UINT64_MAX) iterations = only + 1;
  Mutator mutator(corpus, seed);
  for (std::uint64_t i = 0; i < iterations; ++i) {
    const Input input = mutator.next();
    if (only != UINT64_MAX && i != only) continue;
    std::snprintf(crash_line, sizeof crash_line, "crashed: --seed %llu --only %llu\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(i));
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%llu inputs from %zu files, seed %llu\n", static_cast<unsigned long long>(iterations), corpus.size(),
              static_cast<unsigned long long>(seed));
  return 0;
}
