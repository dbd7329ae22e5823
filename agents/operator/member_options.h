// The options of `lianxi member` and `lianxi explain`, read for command_line.cpp.
#pragma once

#include <memory>

#include "agents/operator/settings.h"

namespace CLI {
class App;
}

namespace lianxi::cli {

class MemberOptions {
 public:
  MemberOptions(CLI::App& app, const Say& say);
  ~MemberOptions();
  MemberOptions(const MemberOptions&) = delete;
  MemberOptions& operator=(const MemberOptions&) = delete;

  // What was asked for; nothing if it was another command.
  [[nodiscard]] std::optional<Result<Command>> command(const Say& say) const;
  [[nodiscard]] bool needs_profile() const;

 private:
  struct Texts;
  std::unique_ptr<Texts> texts_;
  CLI::App *member_ = nullptr, *add_ = nullptr, *retire_ = nullptr, *list_ = nullptr, *explain_ = nullptr;
};

}  // namespace lianxi::cli
