// Answers questions from the view, in its own thread with its own read-only connection: no query delays a receipt.
//
// A question may name an offset; it then waits, for a bounded time, until the view has it, while others are answered.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "broker/app/directory.h"
#include "broker/app/metrics.h"
#include "broker/app/retention_desk.h"
#include "broker/app/status_board.h"
#include "broker/net/router_endpoint.h"
#include "broker/store/read_view.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxWaitingQueries = 1024;
inline constexpr std::size_t kMaxWaitingQueriesPerAgent = 64;

// Turns a question into its answer or refusal. No sockets, no clock.
class QueryDesk {
 public:
  // `journal`: to explain events by; without it that question is refused.
  QueryDesk(std::unique_ptr<store::ReadView> view, StatusBoard& board, const Metrics& metrics,
            std::unique_ptr<store::JournalReader> journal = nullptr)
      : view_(std::move(view)), board_(board), metrics_(metrics), journal_(std::move(journal)) {}
  // Without it, what a retention would be is not answered.
  void plan_with(std::unique_ptr<RetentionDesk> desk) { retentions_ = std::move(desk); }
  [[nodiscard]] Result<Answer> answer(const Query& query, const core::Agent& agent, const Rights& rights, TimeMs now);
  // The view has moved: so that no question waits for what it changed. What fails here fails again where it is asked for.
  void follow() { (void)view_->follow(); }

 private:
  using Rows = decltype(Answer::rows);
  [[nodiscard]] store::StoreResult<Rows> rows(const Query& query, const core::Agent& agent, const Rights& rights, TimeMs now);
  [[nodiscard]] store::StoreResult<StatusReport> status(const AskStatus& ask, const core::Agent& agent, const Rights& rights,
                                                        TimeMs now);

  [[nodiscard]] Result<Answer> retention(const Query& query, const AskRetention& ask, const core::Agent& agent,
                                         const Rights& rights, TimeMs now);

  std::unique_ptr<store::ReadView> view_;
  StatusBoard& board_;
  const Metrics& metrics_;
  std::unique_ptr<RetentionDesk> retentions_;
  std::unique_ptr<store::JournalReader> journal_;
};

class QueryService {
 public:
  QueryService(std::unique_ptr<net::RouterEndpoint> endpoint, QueryDesk desk, const Directory& directory, StatusBoard& board,
               Metrics& metrics);
  ~QueryService();
  QueryService(const QueryService&) = delete;
  QueryService& operator=(const QueryService&) = delete;
  void wake() const { wakeup_.signal(); }  // the view has moved
  void rights_changed();

 private:
  struct Waiting {
    std::string routing;
    std::string agent;
    Query query;
    std::int64_t until_ms = 0;  // steady
  };
  void run();
  void take_in();
  void take(net::Inbound inbound);
  void answer_waiting();
  void answer(const std::string& routing, const std::string& agent, const Query& query);
  void refuse(const std::string& routing, std::uint64_t request, Refusal refusal);
  void sweep();

  std::unique_ptr<net::RouterEndpoint> endpoint_;
  QueryDesk desk_;
  const Directory& directory_;
  StatusBoard& board_;
  Metrics& metrics_;
  std::deque<Waiting> waiting_;
  std::int64_t sweep_at_ = 0;
  net::Wakeup wakeup_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> rights_changed_{false};
  std::thread thread_;
};

}  // namespace lianxi::app
