// Whether an event may become one of this node's, as things stand. Changes nothing.
#pragma once

#include "broker/core/ground.h"
#include "broker/core/kinds/registry.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::core {

struct Accepted {
  const KindRules* rules = nullptr;
  const FeedId* feed = nullptr;  // of the judge, until its next event, as is
  const EventReader* event = nullptr;
};

// Judges the events of one publish after another; what the rights say of an event holds for those behind it that differ in
// nothing they look at.
class Judge {
 public:
  // The next publish: its author, its lane, which every event's own lane must equal, and the time.
  void begin(const Agent& agent, Lane lane, TimeMs now);
  [[nodiscard]] Result<Accepted> judge(const Ground& ground, const KindMemory& memory, BytesView body);

 private:
  EventReader reader_;
  const Agent* agent_ = nullptr;
  Lane lane_{};
  TimeMs now_ = 0;
  bool fit_ = false;  // the event before was
  FeedId feed_;
};

}  // namespace lianxi::core
