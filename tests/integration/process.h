// A program run as a real process, its output kept; killed with the test at the latest.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lianxi::test {

inline constexpr std::chrono::seconds kPatience{60};

// Until `done` is true; false when the patience is over. Between two looks the thread gives way for a moment.
bool eventually(const std::function<bool()>& done, std::chrono::milliseconds patience = kPatience);

// True at first and then once a second: for what is said again while something is waited for, such as a sign of life.
class OnceASecond {
 public:
  bool is_due();

 private:
  std::chrono::steady_clock::time_point next_;
};

class Process {
 public:
  // Standard output and error go to `output_file`.
  Process(const std::vector<std::string>& command, std::string output_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  // Its exit status, or 128 + the signal that ended it; empty if it still runs after the patience.
  std::optional<int> wait(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] bool running();
  [[nodiscard]] std::string output() const;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::string output_file_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// Runs a program to its end.
struct Ended {
  int status = -1;
  std::string output;
};
Ended run_program(const std::vector<std::string>& command, const std::string& output_file);

std::string read_text(const std::string& file);
void write_text(const std::string& file, const std::string& text, bool secret = false);

}  // namespace lianxi::test
