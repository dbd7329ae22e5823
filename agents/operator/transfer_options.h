// The options of `lianxi import` and `lianxi export`, read for command_line.cpp.
#pragma once

#include <memory>

#include "agents/operator/settings.h"

namespace CLI {
class App;
}

namespace lianxi::cli {

class TransferOptions {
 public:
  TransferOptions(CLI::App& app, const Say& say);
  ~TransferOptions();
  TransferOptions(const TransferOptions&) = delete;
  TransferOptions& operator=(const TransferOptions&) = delete;

  // What was asked for; nothing if it was another command.
  [[nodiscard]] std::optional<Result<Command>> command(const Say& say) const;

 private:
  struct Texts;
  void add_import(CLI::App& app, const Say& say);
  void add_export(CLI::App& app, const Say& say);
  [[nodiscard]] Result<Command> import_command() const;
  [[nodiscard]] Result<Command> export_command(const Say& say) const;
  [[nodiscard]] Result<Command> import_mobilisation_command() const;

  std::unique_ptr<Texts> texts_;
  CLI::App *import_ = nullptr, *export_ = nullptr, *import_mobilisation_ = nullptr, *export_mobilisation_ = nullptr;
};

}  // namespace lianxi::cli
