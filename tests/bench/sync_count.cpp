#include "tests/bench/sync_count.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace lianxi::bench {
namespace {

constexpr std::uint64_t kAnswers = 100;
constexpr std::size_t kAppendBytes = 4'096;
constexpr std::chrono::milliseconds kLook{5};
constexpr std::chrono::seconds kAttachPatience{5};

std::uint64_t lines_with_syncs(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t count = 0;
  for (std::string line; std::getline(file, line);)
    count += line.find("sync") != std::string::npos && line.find("resumed>") == std::string::npos ? 1U : 0U;
  return count;
}

bool is_traced(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("TracerPid:")) return line.find_first_of("123456789") != std::string::npos;
  return false;
}

}  // namespace

std::optional<SyncCount> count_syncs(Peer& peer, const std::string& topic) {
  const std::string strace = find_program("strace");
  if (strace.empty()) return std::nullopt;
  const TempFolder folder("lianxi-bench-strace");
  const std::filesystem::path trace = folder.path() / "trace";
  peer.open_topic(topic, 1);
  Checker checker;
  const auto consumer = peer.open_consumer(topic, 0, checker);
  const auto publisher = peer.open_publisher(topic, 0, Payloads(PayloadKind::light, 0, 256), 1);
  Command command{{strace, "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync,syncfs", "-o", trace.string()},
                  {},
                  {},
                  folder.path() / "log"};
  const std::vector<pid_t> tree = process_tree(peer.pid());
  for (const pid_t pid : tree) command.words.insert(command.words.end(), {"-p", std::to_string(pid)});
  {
    const ChildProcess watch(command);
    const auto until = Clock::now() + kAttachPatience;
    while (!is_traced(tree.back()) || !is_traced(tree.front())) {
      if (!watch.alive() || Clock::now() > until) return std::nullopt;
      std::this_thread::sleep_for(kLook);
    }
    std::vector<Answer> answers;
    for (std::uint64_t number = 0; number < kAnswers; ++number) {
      publisher->send(number);
      publisher->flush();
      const auto patience = Clock::now() + kPeerPatience;
      while (answers.size() <= number) {
        publisher->collect(answers, Clock::now() + kConsumerWait, true);
        if (Clock::now() > patience) throw std::runtime_error("an event stays unanswered");
      }
    }
  }  // strace lets go of everybody when it is ended
  return SyncCount{kAnswers, lines_with_syncs(trace)};
}

Histogram paced_fdatasync(double seconds, double rate) {
  ::prctl(PR_SET_TIMERSLACK, 1);
  const TempFolder folder("lianxi-bench-disk");
  const int fd = ::open((folder.path() / "file").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("no file to append to");
  const std::vector<char> page(kAppendBytes, 'x');
  Histogram latency;
  const auto count = static_cast<std::uint64_t>(seconds * rate);
  const auto begin = Clock::now();
  bool good = true;
  for (std::uint64_t i = 0; i < count && good; ++i) {
    const auto due =
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(i) / rate));
    std::this_thread::sleep_until(due);
    good = ::write(fd, page.data(), page.size()) == static_cast<ssize_t>(page.size()) && ::fdatasync(fd) == 0;
    latency.add(Clock::now() - due);
  }
  ::close(fd);
  if (!good) throw std::runtime_error("the disk does not take it");
  return latency;
}

}  // namespace lianxi::bench
