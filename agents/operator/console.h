// Where a command speaks: results to standard output, the rest to standard error; and the one way in which it fails.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "agents/operator/settings.h"
#include "agents/operator/table.h"

namespace lianxi::cli {

class Console {
 public:
  Console(const Common& common, std::ostream& out, std::ostream& err, bool out_is_terminal, bool err_is_terminal);

  [[nodiscard]] const Say& say() const { return common_.say; }
  [[nodiscard]] bool json() const { return common_.json; }
  [[nodiscard]] bool colour() const { return colour_; }
  [[nodiscard]] std::size_t width() const { return width_; }  // 0: not a terminal
  [[nodiscard]] bool progress() const { return err_is_terminal_; }
  [[nodiscard]] std::ostream& out() const { return out_; }
  [[nodiscard]] std::ostream& err() const { return err_; }
  void table(const Table& table, std::string_view indent = "") const;

  // Prints the reason (with --json the error object on standard output) and returns the exit status.
  [[nodiscard]] Exit refused(const Refusal& refusal) const;
  [[nodiscard]] Exit unreachable(const std::string& reason) const;
  [[nodiscard]] Exit failed(const std::string& code, const std::string& reason, Exit exit) const;

 private:
  const Common& common_;
  std::ostream& out_;
  std::ostream& err_;
  bool err_is_terminal_;
  bool colour_;
  std::size_t width_;
};

// The profile's client; a refusal if the profile cannot be used.
[[nodiscard]] Result<std::unique_ptr<sdk::Client>> open_client(const Common& common, sdk::Profile& profile,
                                                               sdk::ClientOptions options = {});

[[nodiscard]] TimeMs wall_ms();
// "2020-11-09 08:31:05", Beijing time.
[[nodiscard]] std::string short_time(TimeMs time);
// 【演练】/ EXERCISE for everything but Actual, which has none.
[[nodiscard]] std::string drill_mark(Status status, const Say& say);
// The whole file, or standard input for "-"; at most `max_bytes`.
[[nodiscard]] Result<std::string> read_input(const std::string& file, std::size_t max_bytes);

}  // namespace lianxi::cli
