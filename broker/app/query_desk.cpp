#include "broker/app/query_service.h"

namespace lianxi::app {

namespace {

Kind kind_asked(const Ask& ask) {
  if (std::holds_alternative<AskResources>(ask)) return Kind::resource;
  if (std::holds_alternative<AskAlerts>(ask)) return Kind::alert;
  if (std::holds_alternative<AskIncidents>(ask)) return Kind::incident;
  return Kind::unknown;
}

Refusal to_refusal(const store::StoreFailure& failure) {
  return {RefusalCode::internal, {}, "the view could not be read: " + failure.detail, 0};
}

}  // namespace

Result<Answer> QueryDesk::answer(const Query& query, const core::Agent& agent, const Rights& rights, TimeMs now) {
  const Kind kind = kind_asked(query.ask);
  if (kind != Kind::unknown && !rights.policy->may_query_kind(agent, kind))
    return refuse(RefusalCode::not_allowed, "ask", agent.id.text() + " may not query this kind");
  const auto offset = view_->offset();
  if (!offset) return tl::unexpected(to_refusal(offset.error()));
  auto found = rows(query, agent, rights, now);
  if (!found) return tl::unexpected(to_refusal(found.error()));
  return Answer{query.request, *offset, std::move(*found)};
}

store::StoreResult<QueryDesk::Rows> QueryDesk::rows(const Query& query, const core::Agent& agent, const Rights& rights,
                                                    TimeMs now) {
  const auto admits = [&](const Envelope& envelope) { return rights.policy->may_query(agent, envelope); };
  const auto to_rows = [](auto found) -> store::StoreResult<Rows> {
    if (!found) return tl::unexpected(std::move(found.error()));
    return Rows(std::move(*found));
  };
  if (const auto* resources = std::get_if<AskResources>(&query.ask)) return to_rows(view_->resources(*resources, admits));
  if (const auto* alerts = std::get_if<AskAlerts>(&query.ask)) return to_rows(view_->alerts(*alerts, now, admits));
  if (const auto* incidents = std::get_if<AskIncidents>(&query.ask)) return to_rows(view_->incidents(*incidents, admits));
  return to_rows(status(std::get<AskStatus>(query.ask), now));
}

store::StoreResult<StatusReport> QueryDesk::status(const AskStatus& ask, TimeMs now) {
  StatusReport report = board_.report();
  auto digests = view_->digests();
  if (!digests) return tl::unexpected(std::move(digests.error()));
  const auto offset = view_->offset();
  if (!offset) return tl::unexpected(offset.error());
  report.digests = std::move(*digests);
  report.view_offset = *offset;
  report.view_version = store::kViewVersion;
  if (ask.counters) report.counters = metrics_.rows();
  report.time = now;
  return report;
}

}  // namespace lianxi::app
