// Who receives an event and who does not, and why: audience, members, links, rights and `live` topics, as they stand now.
#pragma once

#include "broker/app/directory.h"
#include "broker/core/broker_core.h"
#include "broker/store/journal.h"
#include "broker/store/read_view.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxExplainedAgents = 200;
inline constexpr std::size_t kMaxExplainedOthers = 32;  // events of one entity

struct ExplainParts {
  store::ReadView& view;
  store::JournalReader& journal;
  StatusReport status;                 // links and heads
  std::vector<core::PeerSight> peers;  // what they say that they hold of this region
};

// For whoever may query the event; to all others it is as if it did not exist. The query thread.
[[nodiscard]] Result<ExplainReport> explain(const AskExplain& ask, const core::Agent& agent, const Rights& rights,
                                            const ExplainParts& parts);

}  // namespace lianxi::app
