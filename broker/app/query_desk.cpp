#include "broker/app/explain.h"
#include "broker/app/query_service.h"

namespace lianxi::app {

namespace {

Kind kind_asked(const Ask& ask) {
  if (std::holds_alternative<AskResources>(ask) || std::holds_alternative<AskTotals>(ask)) return Kind::resource;
  if (std::holds_alternative<AskAlerts>(ask)) return Kind::alert;
  if (std::holds_alternative<AskIncidents>(ask)) return Kind::incident;
  if (std::holds_alternative<AskMobilisations>(ask)) return Kind::mobilisation;
  return Kind::unknown;
}

Refusal to_refusal(const store::StoreFailure& failure) {
  return {RefusalCode::internal, {}, "the view could not be read: " + failure.detail, 0};
}

}  // namespace

Result<Answer> QueryDesk::retention(const Query& query, const AskRetention& ask, const core::Agent& agent, const Rights& rights,
                                    TimeMs now) {
  if (!retentions_) return refuse(RefusalCode::unknown_type, "ask", "this node works out no retentions");
  if (agent.id.region() != rights.region)
    return refuse(RefusalCode::not_home, "ask", "only an agent of " + to_text(rights.region) + " may cut its feeds");
  if (agent.role != core::Role::operator_)
    return refuse(RefusalCode::not_allowed, "ask", "only an operator may say that events count no more");
  auto plan = retentions_->plan(ask, agent, rights, board_.report(), *view_, now);
  if (!plan) return tl::unexpected(std::move(plan.error()));
  return Answer{query.request, view_->seen(), std::move(*plan)};
}

Result<Answer> QueryDesk::answer(const Query& query, const core::Agent& agent, const Rights& rights, TimeMs now) {
  if (const auto* ask = std::get_if<AskRetention>(&query.ask)) return retention(query, *ask, agent, rights, now);
  const auto* explained = std::get_if<AskExplain>(&query.ask);
  if (explained != nullptr && journal_ == nullptr)
    return refuse(RefusalCode::unknown_type, "ask", "no journal is read here, so no event can be explained");
  const Kind kind = kind_asked(query.ask);
  if (kind != Kind::unknown && !rights.policy->may_query_kind(agent, kind))
    return refuse(RefusalCode::not_allowed, "ask", agent.id.text() + " may not query this kind");
  if (explained != nullptr) {
    const auto offset = view_->offset();
    if (!offset) return tl::unexpected(to_refusal(offset.error()));
    auto report = explain(*explained, agent, rights, {*view_, *journal_, board_.report(), board_.peers()});
    if (!report) return tl::unexpected(std::move(report.error()));
    return Answer{query.request, *offset, std::move(*report)};
  }
  auto found = rows(query, agent, rights, now);
  if (!found && found.error().code == store::StoreError::not_found)
    return refuse(RefusalCode::not_found, "alert",
                  "this node shows you no such alert; `lianxi alerts --all` lists those it does");
  if (!found) return tl::unexpected(to_refusal(found.error()));
  return Answer{query.request, view_->seen(), std::move(*found)};
}

store::StoreResult<QueryDesk::Rows> QueryDesk::rows(const Query& query, const core::Agent& agent, const Rights& rights,
                                                    TimeMs now) {
  const auto admits = [&](const Envelope& envelope) {
    return reaches(envelope.audience, rights.region, agent, *rights.members) && rights.policy->may_query(agent, envelope);
  };
  const auto to_rows = [](auto found) -> store::StoreResult<Rows> {
    if (!found) return tl::unexpected(std::move(found.error()));
    return Rows(std::move(*found));
  };
  const store::MapContext context{now, rights.map_names.get()};
  if (const auto* resources = std::get_if<AskResources>(&query.ask))
    return to_rows(view_->resources(*resources, context, admits));
  if (const auto* totals = std::get_if<AskTotals>(&query.ask)) return to_rows(view_->totals(*totals, context, admits));
  if (const auto* alerts = std::get_if<AskAlerts>(&query.ask)) return to_rows(view_->alerts(*alerts, now, admits));
  if (const auto* incidents = std::get_if<AskIncidents>(&query.ask)) return to_rows(view_->incidents(*incidents, admits));
  if (const auto* mobilisations = std::get_if<AskMobilisations>(&query.ask)) {
    std::vector<RegionCode> members;
    for (const core::Member& member : rights.members->all())
      if (rights.members->active(member.region)) members.push_back(member.region);
    return to_rows(view_->mobilisations(*mobilisations, now, members, admits));
  }
  return to_rows(status(std::get<AskStatus>(query.ask), agent, rights, now));
}

store::StoreResult<StatusReport> QueryDesk::status(const AskStatus& ask, const core::Agent& agent, const Rights& rights,
                                                   TimeMs now) {
  StatusReport report = board_.report();
  auto digests = view_->digests();
  if (!digests) return tl::unexpected(std::move(digests.error()));
  report.digests = std::move(*digests);
  report.view_offset = view_->seen();
  report.view_version = store::kViewVersion;
  report.time = now;
  if (is_insider(agent, rights)) {
    if (ask.counters) report.counters = metrics_.rows();
    return report;
  }
  // Others see how far the feeds go that they may hold.
  const auto hidden = [&](const Audience& audience) { return !reaches(audience, rights.region, agent, *rights.members); };
  report.alarms.clear();
  std::erase_if(report.feeds, [&](const FeedPosition& position) { return hidden(position.feed.audience); });
  std::erase_if(report.digests, [&](const DigestRow& row) { return hidden(row.audience); });
  return report;
}

}  // namespace lianxi::app
