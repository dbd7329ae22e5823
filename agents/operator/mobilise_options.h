// The options of `lianxi mobilise`, read for command_line.cpp.
#pragma once

#include <memory>

#include "agents/operator/settings.h"

namespace CLI {
class App;
}

namespace lianxi::cli {

class MobiliseOptions {
 public:
  MobiliseOptions(CLI::App& app, const Say& say);
  ~MobiliseOptions();
  MobiliseOptions(const MobiliseOptions&) = delete;
  MobiliseOptions& operator=(const MobiliseOptions&) = delete;

  // What was asked for; nothing if it was another command.
  [[nodiscard]] std::optional<Result<Command>> command(const Say& say) const;

 private:
  struct Texts;
  void add_moves(CLI::App& mobilise, const Say& say);
  void add_questions(CLI::App& mobilise, const Say& say);
  [[nodiscard]] Result<Command> move(const Say& say) const;
  [[nodiscard]] Result<Command> question(const Say& say) const;

  std::unique_ptr<Texts> texts_;
};

}  // namespace lianxi::cli
