// From argv to settings. The only place that knows CLI11.
#pragma once

#include <variant>

#include "agents/operator/settings.h"

namespace lianxi::cli {

struct Usage {  // nothing to run: help was asked for, or the line is wrong
  Exit exit = Exit::usage;
  bool json = false;
  Say say;
  std::string text;
};

[[nodiscard]] std::variant<Settings, Usage> parse_command_line(int argc, const char* const* argv, Language default_language);

}  // namespace lianxi::cli
