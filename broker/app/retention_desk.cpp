#include "broker/app/retention_desk.h"

#include <algorithm>

#include "broker/store/feed_search.h"
#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"

namespace lianxi::app {
namespace {

using store::FoundEvent;

constexpr int kMaxSurveys = 8;  // each goes less far than the one before

tl::unexpected<Refusal> internal(const store::StoreFailure& failure) {
  return refuse(RefusalCode::internal, {}, "the retention could not be worked out: " + failure.detail);
}

tl::unexpected<Refusal> behind(const char* what) {
  return tl::unexpected(
      Refusal{RefusalCode::busy, "lane", std::string(what) + " is behind the journal; ask again", kRetryAfterMs});
}

// Where the cut comes to lie, and what it means there.
struct Cut {
  FoundEvent through;
  bool any = false;  // there is something to cut
  store::RetentionSurvey survey;
};

class Search {
 public:
  Search(store::JournalReader& journal, const FeedVector& heads, const FeedId& feed)
      : journal_(journal), heads_(heads), feed_(feed) {}

  [[nodiscard]] store::StoreResult<std::optional<FoundEvent>> before(TimeMs time) {
    return store::last_where(journal_, heads_, feed_, [&](const Stamp& stamp) { return physical_ms(stamp.time) < time; });
  }
  [[nodiscard]] store::StoreResult<std::optional<FoundEvent>> through(Ordinal ordinal) {
    return store::last_where(journal_, heads_, feed_, [&](const Stamp& stamp) { return stamp.ordinal <= ordinal; });
  }
  [[nodiscard]] store::StoreResult<FoundEvent> at(Sequence sequence) {
    return store::event_at(journal_, heads_, feed_, sequence);
  }

 private:
  store::JournalReader& journal_;
  const FeedVector& heads_;
  const FeedId& feed_;
};

// As far as the view lets it go.
store::StoreResult<Cut> cut_of(const FeedId& feed, Search& search, store::ReadView& view, FoundEvent from, TimeMs now) {
  Cut cut{std::move(from), false, {}};
  std::vector<std::string> held_by;
  for (int i = 0; i < kMaxSurveys; ++i) {
    auto survey = view.retention(feed, cut.through.stamp.ordinal, now);
    if (!survey) return tl::unexpected(std::move(survey.error()));
    for (std::string& entity : survey->held_by)
      if (held_by.size() < kMaxRetentionHolders && std::find(held_by.begin(), held_by.end(), entity) == held_by.end())
        held_by.push_back(std::move(entity));
    cut.survey = std::move(*survey);
    cut.survey.held_by = held_by;
    cut.any = cut.survey.allowed == cut.through.stamp.ordinal;
    if (cut.any) return cut;
    auto lower = search.through(cut.survey.allowed);
    if (!lower) return tl::unexpected(std::move(lower.error()));
    if (!*lower) return cut;
    cut.through = **lower;
  }
  return cut;
}

// The first events that fit into one answer.
std::vector<Bytes> encoded(const std::vector<Event>& events) {
  std::vector<Bytes> all;
  std::size_t bytes = 0;
  for (const Event& event : events) {
    Bytes one = encode_event(event);
    bytes += one.size();
    if (bytes > kMaxRestatementBytes) break;
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Result<RetentionPlan> RetentionDesk::plan(const AskRetention& ask, const core::Agent& agent, const Rights& rights,
                                          const StatusReport& status, store::ReadView& view, TimeMs now) {
  const FeedId feed{status.region, status.epoch, ask.lane, ask.audience};
  Event event;
  event.envelope = {Kind::retention, retention_entity(feed.region, feed.lane, feed.audience),
                    Status::Actual,  PlaceCode::of(feed.region),
                    agent.agency,    Level::none,
                    feed.audience,   now};
  if (auto may = rights.policy->may_publish(agent, event.envelope); !may) return tl::unexpected(std::move(may.error()));
  RetentionPlan plan;
  const auto head = std::find_if(status.feeds.begin(), status.feeds.end(), [&](const FeedPosition& p) { return p.feed == feed; });
  if (head == status.feeds.end()) return plan;
  Search search(*journal_, status.feeds, feed);
  const auto asked = search.before(ask.before);
  if (!asked) return internal(asked.error());
  if (!*asked) return plan;
  plan.asked_through = (*asked)->stamp.sequence;
  auto cut = cut_of(feed, search, view, **asked, now);
  if (!cut) return internal(cut.error());
  store::RetentionSurvey& survey = cut->survey;
  plan.held_by = std::move(survey.held_by);
  if (!cut->any || cut->through.stamp.ordinal <= survey.held_already) return plan;
  const FoundEvent& through = cut->through;
  if (survey.position < through.stamp.sequence) return behind("the view");
  const auto last_cut = search.through(survey.held_already);
  if (!last_cut) return internal(last_cut.error());
  const Sequence gone = *last_cut ? (*last_cut)->stamp.sequence : Sequence{0};
  const auto oldest = search.at(Sequence(gone.value + 1));
  if (!oldest) return internal(oldest.error());

  plan.through = through.stamp.sequence;
  plan.events = plan.through.value - gone.value;
  plan.alerts = survey.alerts;
  plan.reports = survey.reports;
  plan.incidents = survey.incidents;
  plan.oldest = physical_ms(oldest->stamp.time);
  plan.newest = physical_ms(through.stamp.time);
  plan.to_restate = survey.to_restate;
  plan.restate = encoded(survey.restate);
  if (plan.to_restate > 0) return plan;
  const Retention retention{
      feed.epoch,      feed.lane,    {through.stamp.sequence, through.hash}, through.stamp.ordinal, ask.before,
      survey.position, survey.digest};
  event.body = retention;
  plan.retention = encode_event(event);
  book_.add({feed.audience, retention});
  return plan;
}

}  // namespace lianxi::app
