// What a retention of one of this node's feeds would be: how far it may go, what goes, what must be stated again first, and, once
// nothing is in the way, the event itself. Of the query thread: view and journal are read, nothing is changed.
#pragma once

#include <memory>

#include "broker/app/directory.h"
#include "broker/app/plan_book.h"
#include "broker/store/read_view.h"

namespace lianxi::app {

class RetentionDesk {
 public:
  // What it offers to be published it enters into the book before it answers.
  RetentionDesk(std::unique_ptr<store::JournalReader> journal, PlanBook& book) : journal_(std::move(journal)), book_(book) {}

  // `feeds`: heads of all feeds that the journal holds. For whoever may publish the retention.
  [[nodiscard]] Result<RetentionPlan> plan(const AskRetention& ask, const core::Agent& agent, const Rights& rights,
                                           const StatusReport& status, store::ReadView& view, TimeMs now);

 private:
  std::unique_ptr<store::JournalReader> journal_;
  PlanBook& book_;
};

}  // namespace lianxi::app
