#include "broker/store/projections/beginning.h"

#include "broker/store/projections/retention.h"

namespace lianxi::store {

namespace {

FeedId feed_of(const Run& run, const Audience& audience) {
  return {RegionCode(static_cast<std::uint32_t>(run.number(0))), Epoch(static_cast<std::uint32_t>(run.number(1))),
          static_cast<Lane>(run.number(2)), audience};
}

}  // namespace

BeginningProjection::BeginningProjection(SQLite::Database& db)
    : db_(db),
      write_(db,
             "INSERT OR REPLACE INTO retained (region, epoch, lane, audience, through_sequence, through_hash, sequence, offset)"
             " VALUES (?, ?, ?, ?, ?, ?, ?, ?)") {}

void BeginningProjection::reload(const std::map<std::string, AudienceRow>& audiences) {
  retained_.clear();
  known_.clear();
  fresh_.clear();
  awaited_.clear();
  SQLite::Statement rows(db_,
                         "SELECT region, epoch, lane, audience, through_sequence, through_hash, sequence, offset FROM retained");
  for (Run run(rows); run.next();) {
    const auto audience = Audience::parse(run.text(3));
    if (!audience) continue;
    const FeedId feed = feed_of(run, *audience);
    retained_[feed] = {feed,
                       {Sequence(run.number_u64(4)), hash_of(run.blob(5), "retained")},
                       Sequence(run.number_u64(6)),
                       Offset(run.number_u64(7))};
    fresh_.insert(feed);
  }
  std::map<std::int64_t, Audience> names;
  for (const auto& [name, row] : audiences)
    if (auto audience = Audience::parse(name)) names.emplace(row.id, std::move(*audience));
  SQLite::Statement feeds(db_, "SELECT region, epoch, lane, audience, awaits FROM feed");
  for (Run run(feeds); run.next();) {
    const auto audience = names.find(run.number(3));
    if (audience == names.end()) continue;
    const FeedId feed = feed_of(run, audience->second);
    known_.insert(feed);
    if (run.number(4) > 0) awaited_[feed] = Sequence(run.number_u64(4));
  }
}

void BeginningProjection::arrives(const SegmentInfo& info) {
  if (known_.insert(info.feed).second && info.first_sequence.value > 1)
    awaited_[info.feed] = Sequence(info.first_sequence.value - 1);
}

void BeginningProjection::note(const Applied& applied, const Retention& retention) {
  if (!RetentionProjection::stands_in(applied, retention)) return;
  const FeedId& feed = applied.feed;
  if (const auto awaited = awaited_.find(feed); awaited != awaited_.end() && retention.through.sequence >= awaited->second)
    awaited_.erase(awaited);
  RetainedFeed& held = retained_[feed];
  if (retention.through.sequence <= held.through.sequence || retention.through.sequence > retention.position) return;
  held = {feed, retention.through, applied.record.stamp.sequence, applied.offset};
  fresh_.insert(feed);
  Run(write_)
      .put(feed.region.value)
      .put(feed.epoch.value)
      .put(static_cast<int>(feed.lane))
      .put(feed.audience.text())
      .put(held.through.sequence.value)
      .put(BytesView(held.through.hash))
      .put(held.at.value)
      .put(held.offset.value)
      .exec();
}

Sequence BeginningProjection::awaits(const FeedId& feed) const {
  const auto found = awaited_.find(feed);
  return found == awaited_.end() ? Sequence(0) : found->second;
}

std::vector<RetainedFeed> BeginningProjection::take_fresh() {
  std::vector<RetainedFeed> out;
  for (const FeedId& feed : fresh_)
    if (const auto held = retained_.find(feed); held != retained_.end()) out.push_back(held->second);
  fresh_.clear();
  return out;
}

}  // namespace lianxi::store
