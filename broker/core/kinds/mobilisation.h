// Mobilisations: asked for at the requester's node, promised at the owner's node alone, and never twice. Who may say what when is
// one table, `kSays` in mobilisation_says.cpp; what a promise is held against stands in stock.h.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_mobilisation(const Candidate& candidate, RegionCode own, const Members& members,
                                              const KindMemory& memory);
void remember_mobilisation(const Said& said, KindMemory& memory);
// An owner's acceptance, provisional or not, or commitment; what is only offered commits nothing.
[[nodiscard]] bool mobilisation_promises(const Candidate& candidate);

// --- mobilisation_says.cpp ---
struct Saying {
  const Mobilisation& message;
  const Thread& thread;  // as it stands
  const KnownThread& known;
  RegionCode own;
};
// Whether this region may say such a message in the thread now.
[[nodiscard]] Result<void> may_say(const Saying& saying);

// --- stock_check.cpp ---
struct StockQuestion {
  const ThreadKey& thread;
  const Promises& before;  // what this region holds in the thread
  const Promises& after;   // and would hold behind the message
  const KindMemory& memory;
};
// Whether it is there. Nothing but a promise that grows needs anything.
[[nodiscard]] Result<void> check_stock(const StockQuestion& ask);
// A change of an own resource may not take away what is promised of it.
[[nodiscard]] Result<void> check_undercut(const Candidate& candidate, const KindMemory& memory);

}  // namespace lianxi::core
