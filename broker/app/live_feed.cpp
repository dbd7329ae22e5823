#include "broker/app/live_feed.h"

#include <array>

#include "broker/app/clock.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "schemas/codec/segment.h"

namespace lianxi::app {

namespace {
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::int64_t kSweepMs = 100;
constexpr std::int64_t kQuickSweepMs = 20;
}  // namespace

std::vector<std::string> live_topics(const Envelope& envelope, const core::Members& members) {
  std::vector<std::string> topics = {topic_of(envelope)};
  for (const core::Member& member : members.all()) {
    if (!members.active(member.region)) continue;
    const PlaceCode city = PlaceCode::of(member.region);
    if (envelope.place == city || !envelope.place.covers(city)) continue;
    Envelope below = envelope;
    below.place = city;
    topics.push_back(topic_of(below));
  }
  return topics;
}

LiveFeed::LiveFeed(Parts parts, Offset from, const Directory& directory, StatusBoard& board, Metrics& metrics,
                   std::function<void(const store::StoreFailure&)> skipped)
    : parts_(std::move(parts)),
      next_(from),
      directory_(directory),
      board_(board),
      metrics_(metrics),
      skipped_(std::move(skipped)),
      thread_([this] { run(); }) {}

LiveFeed::~LiveFeed() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void LiveFeed::rights_changed() {
  cut_all_ = true;
  wakeup_.signal();
}

void LiveFeed::run() {
  net::LiveSocket& socket = *parts_.socket;
  std::int64_t sweep_at = 0;
  bool more = false;
  while (!stop_) {
    std::array items = {socket.readable(), net::WaitItem{nullptr, wakeup_.fd()}};
    const std::int64_t left = std::max<std::int64_t>(0, sweep_at - steady_ms());
    net::wait(items, std::chrono::milliseconds(more ? 0 : left));
    if (items[1].ready) wakeup_.drain();
    if (cut_all_.exchange(false)) socket.cut_all();
    socket.serve([this](const Refusal& refusal) {
      metrics_.live_refused();
      metrics_.refused(refusal.code);
    });
    if (const std::int64_t now = steady_ms(); now >= sweep_at) {
      sweep_at = now + (socket.sweep() ? kQuickSweepMs : kSweepMs);
      const net::WatchCuts cuts = socket.take_cuts();
      metrics_.connections_cut(CutReason::endless, cuts.endless);
      metrics_.connections_cut(CutReason::crowded, cuts.crowded + cuts.waiting);
    }
    listen();
    const auto published = publish_some();
    if (!published) {  // best effort: who must not miss anything follows
      skipped_(published.error());
      next_ = Offset(board_.head);
    }
    more = published && *published;
  }
}

void LiveFeed::listen() {
  const bool heard = parts_.socket->subscriptions() > 0;
  if (heard == heard_) return;
  heard_ = heard;  // before looking: whoever commits after the look wakes this thread
  if (heard) next_ = Offset(board_.head);
}

store::StoreResult<bool> LiveFeed::publish_some() {
  if (!heard_ || next_.value >= board_.head) return false;
  const auto segments = parts_.journal->read(next_, kReadBytes);
  if (!segments) return tl::unexpected(segments.error());
  const auto rights = directory_.rights();
  for (const store::JournalSegment& stored : *segments) {
    const auto segment = Segment::parse(stored.bytes);
    if (!segment)
      return tl::unexpected(
          store::StoreFailure{store::StoreError::corrupt, "a committed segment does not read: " + segment.error().reason});
    publish(*segment, stored.first_offset, *rights);
    next_ = Offset(stored.first_offset.value + segment->records().size());
  }
  return !segments->empty() && next_.value < board_.head;
}

void LiveFeed::publish(const Segment& segment, Offset first, const Rights& rights) {
  const FeedId& feed = segment.info().feed;
  for (std::size_t i = 0; i < segment.records().size(); ++i) {
    const Offset offset(first.value + i);
    if (offset < next_) continue;  // a reader gives whole segments
    const RecordView& record = segment.records()[i];
    const auto envelope = record.redacted ? Result<Envelope>(Envelope{}) : decode_envelope(record.body);
    if (record.redacted || !envelope) continue;
    std::string json;
    for (const std::string& topic : live_topics(*envelope, *rights.members)) {
      if (!parts_.socket->wanted(topic)) continue;
      if (json.empty()) json = event_json(feed, offset, record);
      parts_.socket->publish(topic, json);
      metrics_.live_published();
    }
  }
}

}  // namespace lianxi::app
