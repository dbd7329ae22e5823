// Whether an event may become one of this node's, as things stand. Changes nothing.
#pragma once

#include "broker/core/ground.h"
#include "broker/core/kinds/registry.h"

namespace lianxi::core {

struct Accepted {
  Event event;
  const KindRules* rules = nullptr;
  FeedId feed;
};

// `lane` is the publish message's; the event's own lane must equal it.
[[nodiscard]] Result<Accepted> judge(const Ground& ground, const KindMemory& memory, const Agent& agent, Lane lane,
                                     BytesView body);

}  // namespace lianxi::core
