// The options of the questions to the resource map: `lianxi resources`, `sites`, `roster`, `totals`; read for command_line.cpp.
#pragma once

#include <memory>

#include "agents/operator/settings.h"

namespace CLI {
class App;
}

namespace lianxi::cli {

class MapOptions {
 public:
  MapOptions(CLI::App& app, const Say& say);
  ~MapOptions();
  MapOptions(const MapOptions&) = delete;
  MapOptions& operator=(const MapOptions&) = delete;

  // What was asked for; nothing if it was another command.
  [[nodiscard]] std::optional<Result<Command>> command(const Say& say) const;

 private:
  struct Texts;
  void add_resources(CLI::App& app, const Say& say);
  void add_others(CLI::App& app, const Say& say);
  [[nodiscard]] Result<Command> resources(const Say& say) const;
  [[nodiscard]] Result<Command> roster(const Say& say) const;

  std::unique_ptr<Texts> texts_;
};

}  // namespace lianxi::cli
