// Publishing for a command: waits for the node's answers, tells what goes wrong.
#pragma once

#include "agents/operator/console.h"

namespace lianxi::cli {

// Waits while answers come; gives up when none came for the timeout, or at once when the node does not welcome the agent. A
// node that answers and takes nothing (its disk is full) has refused, and is not unreachable.
// Nothing: every future is ready. Else the exit status, with the reason printed.
[[nodiscard]] std::optional<Exit> await_all(std::vector<std::future<sdk::Outcome>>& outcomes, const Common& common,
                                            const Console& console, sdk::Client& client, bool show_progress);
// `replication`: what was asked of other nodes, if anything was.
[[nodiscard]] std::string receipt_json(const Event& event, const sdk::Receipt& receipt,
                                       const std::optional<sdk::Replication>& replication = std::nullopt);

}  // namespace lianxi::cli
