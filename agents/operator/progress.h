// How far a long command has come, on standard error: one line that changes on a terminal, a line now and then elsewhere, nothing
// with --json. One thread.
#pragma once

#include <chrono>
#include <string>

#include "agents/operator/console.h"

namespace lianxi::cli {

class Progress {
 public:
  // `what`: "checked", "sent", ... `total` 0: not known.
  Progress(const Console& console, std::string what, std::uint64_t total);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `detail` stands behind the figures. Cheap: most calls do nothing.
  void show(std::uint64_t done, const std::string& detail = {});
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  const Console& console_;
  std::string what_;
  std::uint64_t total_;
  Clock::time_point begun_, shown_;
  bool open_ = false;
};

// "1,234,567"
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace lianxi::cli
