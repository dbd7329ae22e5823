// What an operator may have meant when a question to the resource map finds nothing.
#pragma once

#include <string>

#include "agents/operator/say.h"
#include "schemas/queries.h"

namespace lianxi::cli {

// One line a hint, each with its newline; empty if there is none to give.
[[nodiscard]] std::string hints_for(const AskResources& ask, const Say& say);

}  // namespace lianxi::cli
