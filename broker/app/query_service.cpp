#include "broker/app/query_service.h"

#include <algorithm>
#include <array>

#include "broker/app/clock.h"
#include "broker/app/intake.h"
#include "schemas/limits.h"

namespace lianxi::app {

namespace {
constexpr std::int64_t kSweepMs = 100;
constexpr std::int64_t kQuickSweepMs = 20;
constexpr std::size_t kMaxTakenAtOnce = 256;
}  // namespace

QueryService::QueryService(std::unique_ptr<net::RouterEndpoint> endpoint, QueryDesk desk, const Directory& directory,
                           StatusBoard& board, Metrics& metrics)
    : endpoint_(std::move(endpoint)),
      desk_(std::move(desk)),
      directory_(directory),
      board_(board),
      metrics_(metrics),
      thread_([this] { run(); }) {}

QueryService::~QueryService() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void QueryService::rights_changed() {
  rights_changed_ = true;
  wakeup_.signal();
}

void QueryService::run() {
  desk_.follow();
  while (!stop_) {
    std::int64_t next = sweep_at_;
    for (const Waiting& waiting : waiting_) next = std::min(next, waiting.until_ms);
    std::array items = {endpoint_->readable(), net::WaitItem{nullptr, wakeup_.fd()}};
    net::wait(items, std::chrono::milliseconds(std::max<std::int64_t>(0, next - steady_ms())));
    if (items[1].ready) {
      wakeup_.drain();
      desk_.follow();
    }
    if (rights_changed_.exchange(false)) endpoint_->cut_revoked();
    take_in();
    answer_waiting();
    if (steady_ms() >= sweep_at_) sweep();
  }
}

void QueryService::sweep() {
  const auto swept = endpoint_->sweep(steady_ms());
  count_sweep(swept, metrics_);
  for (const std::string& lost : swept.lost)
    std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.routing == lost; });
  sweep_at_ = steady_ms() + (swept.again_soon ? kQuickSweepMs : kSweepMs);
}

void QueryService::take_in() {
  for (std::size_t taken = 0; taken < kMaxTakenAtOnce; ++taken) {
    auto received = endpoint_->receive();
    if (auto* inbound = std::get_if<net::Inbound>(&received)) {
      take(std::move(*inbound));
    } else if (auto* rejected = std::get_if<net::Rejected>(&received)) {
      metrics_.connections_cut(CutReason::shape);
      refuse(rejected->routing, 0, std::move(rejected->refusal));
    } else {
      return;
    }
  }
}

void QueryService::take(net::Inbound inbound) {
  auto message = decode(inbound.header, inbound.payload, Speaker::client);
  if (!message) {
    const auto header = decode_header(inbound.header, inbound.payload);
    return refuse(inbound.routing, header ? header->sequence : 0, std::move(message.error()));
  }
  if (std::holds_alternative<Heartbeat>(*message)) return;  // keeps a connection through a firewall; nothing to say
  const auto* query = std::get_if<Query>(&*message);
  if (query == nullptr)
    return refuse(inbound.routing, 0,
                  {RefusalCode::unknown_type, "header.type", "the query endpoint takes queries; publish on data or flash", 0});
  if (query->after_offset.value <= board_.view_offset) return answer(inbound.routing, inbound.agent, *query);
  const auto of_agent =
      std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.agent == inbound.agent; });
  if (waiting_.size() >= kMaxWaitingQueries || static_cast<std::size_t>(of_agent) >= kMaxWaitingQueriesPerAgent)
    return refuse(inbound.routing, query->request,
                  {RefusalCode::busy, "after_offset", "too many queries wait for the view; ask again", kRetryAfterMs});
  // This thread alone writes it.
  board_.view_wanted = std::max(board_.view_wanted.load(), query->after_offset.value);
  board_.view_call.signal();
  const std::uint32_t wait_ms = query->deadline_ms == 0 ? kMaxQueryWaitMs : std::min(query->deadline_ms, kMaxQueryWaitMs);
  waiting_.push_back({std::move(inbound.routing), std::move(inbound.agent), *query, steady_ms() + wait_ms});
}

void QueryService::answer_waiting() {
  const std::int64_t now = steady_ms();
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->query.after_offset.value <= board_.view_offset) {
      answer(it->routing, it->agent, it->query);
    } else if (now >= it->until_ms) {
      refuse(it->routing, it->query.request,
             {RefusalCode::deadline, "after_offset",
              "the view stands at " + std::to_string(board_.view_offset) + " and did not reach " +
                  std::to_string(it->query.after_offset.value) + " in time",
              0});
    } else {
      ++it;
      continue;
    }
    it = waiting_.erase(it);
  }
}

void QueryService::answer(const std::string& routing, const std::string& agent, const Query& query) {
  const auto rights = directory_.rights();
  const core::Agent* known = rights->find(agent);
  if (known == nullptr)
    return refuse(routing, query.request, {RefusalCode::unknown_key, "key", "this key is no longer in the key folder", 0});
  if (auto part = rights->members->takes_part(known->id.region(), rights->region); !part)
    return refuse(routing, query.request, std::move(part.error()));
  auto answered = desk_.answer(query, *known, *rights, wall_ms());
  if (!answered) return refuse(routing, query.request, std::move(answered.error()));
  (void)send_answer(*endpoint_, routing, encode(std::move(*answered)), metrics_);
}

void QueryService::refuse(const std::string& routing, std::uint64_t request, Refusal refusal) {
  metrics_.refused(refusal.code);
  Refused refused;
  refused.sequence = request;
  refused.refusal = std::move(refusal);
  (void)send_answer(*endpoint_, routing, encode(refused), metrics_);
}

}  // namespace lianxi::app
