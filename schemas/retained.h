// A retention as a node has it in its journal: where a feed may begin for whoever holds nothing of it.
#pragma once

#include "schemas/ids.h"

namespace lianxi {

struct RetainedFeed {
  FeedId feed;
  FeedHead through;  // what counts no more: up to here
  Sequence at;       // the retention
  Offset offset;     // where it stands in this node's journal
  bool operator==(const RetainedFeed&) const = default;
};

}  // namespace lianxi
