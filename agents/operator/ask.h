// One question to the node, with every failure already told.
#pragma once

#include "agents/operator/console.h"

namespace lianxi::cli {

// The answer's rows, or the exit status of what went wrong (which is printed).
template <class Rows>
[[nodiscard]] Result<Rows, Exit> ask(const Common& common, const Console& console, const Ask& question);

// The same of a client that is open. `after`: the view has applied all below first.
template <class Rows>
[[nodiscard]] Result<Rows, Exit> ask(sdk::Client& client, const Common& common, const Console& console, const Ask& question,
                                     Offset after = {});

// Says on standard error that a list is cut, behind a table as behind JSON: a script must not take a part for the whole.
// `next`: how --after goes on, where the list has pages.
void note_cut(bool truncated, std::size_t shown, const Console& console, const std::string& next = {});

// With --json: prints the rows, and is true.
[[nodiscard]] bool said_as_json(const ResourceRows& rows, const Console& console);

}  // namespace lianxi::cli
