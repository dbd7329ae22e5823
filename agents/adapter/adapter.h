// Publishes what agencies put into a spool folder. Warnings, records and imports go side by side, each kind in name order,
// so that a warning never waits behind an inventory.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "agents/adapter/folder_watch.h"
#include "agents/adapter/publish.h"
#include "agents/adapter/spool.h"

namespace lianxi::adapter {

struct AdapterOptions {
  std::string spool;
  std::chrono::milliseconds settle{250};  // a file that was not renamed in is complete when it has not changed for this long
  std::chrono::milliseconds look{250};    // at least so often the folder is listed
  std::chrono::milliseconds retry{1000};  // after a failure of disk or folder
};

struct Tally {
  std::size_t files = 0;
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t failures = 0;  // of disk or folder; the file stays and is tried again
};

class Adapter {
 public:
  // Borrows client and mapping for its life. `now` is asked for times that records do not bring along.
  Adapter(sdk::Client& client, const formats::Mapping& mapping, AdapterOptions options, std::function<TimeMs()> now);
  ~Adapter();

  // Publishes what is there and what comes, until `stop`.
  void run(const std::stop_token& stop);
  // Publishes what is there and returns when the folder holds no file to publish, at a failure, or at `stop`.
  void run_once(const std::stop_token& stop);
  [[nodiscard]] Tally tally() const;

 private:
  static constexpr std::size_t kLines = 3;  // warnings, records, imports
  // Files of one kind on their way, in order; one thread works on each.
  struct Line {
    std::deque<std::string> files;
    std::jthread worker;
  };

  // Lists the folder and gives complete files to their lines. How many files are there or on their way; nothing at a failure.
  std::optional<std::size_t> look(const std::set<std::string>& moved);
  void start(const std::stop_token& stop);
  void finish();
  void work(Line& line, const std::stop_token& stop);
  enum class Took : std::uint8_t { done, again, unreadable };
  Took take(const std::string& file, const std::stop_token& stop);
  void failed(const Failure<SpoolError>& failure);
  [[nodiscard]] std::size_t line_of(const std::string& file) const;

  FilePublisher publisher_;
  const formats::Mapping& mapping_;
  AdapterOptions options_;
  std::function<TimeMs()> now_;
  Spool spool_;
  FolderWatch watch_;
  bool gone_ = false;  // said once, until it is back

  mutable std::mutex mutex_;  // for all below
  std::condition_variable_any work_;
  std::array<Line, kLines> lines_;
  std::set<std::string> taken_;       // given to a line and not yet finished
  std::set<std::string> unreadable_;  // said once each, until they can be read
  Tally tally_;
};

}  // namespace lianxi::adapter
