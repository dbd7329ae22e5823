// What a simulated node's operator lets go of, and what is looked at then. The cut lies anywhere before the race for supplies:
// what a retention means is the same wherever it cuts, and which other cuts are offered to a person is the retention desk's
// affair.
#include "broker/store/feed_search.h"
#include "broker/store/files.h"
#include "broker/store/projections/retention.h"
#include "schemas/codec/event_codec.h"
#include "schemas/decision.h"
#include "tests/sim/race.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {
namespace {

// Nothing: the view's file does not stand at the journal's head.
store::StoreResult<std::optional<Hash>> digest_behind(const store::ViewOptions& view, const FeedId& feed, Ordinal through,
                                                      Offset head) {
  return store::guarded("work out a retention", [&]() -> std::optional<Hash> {
    const store::Database db = store::open_database(view.path, store::OpenMode::read, view.vfs);
    if (store::number_of(*db, "SELECT value FROM meta WHERE name = 'offset'") != static_cast<std::int64_t>(head.value))
      return std::nullopt;
    SQLite::Statement audience(*db, "SELECT id FROM audience WHERE name = ?");
    store::Run row(audience);
    if (!row.put(feed.audience.text()).next()) return std::nullopt;
    return store::kept_digest(*db, feed, row.number(0), *decision_of(feed.epoch, through));
  });
}

// What the retention desk would not let go of: mobilisations that may be open, and the stock of which they take.
bool is_of_the_race(BytesView event) {
  const auto envelope = decode_envelope(event);
  if (!envelope) return false;
  return envelope->kind == Kind::mobilisation ||
         envelope->entity.find(std::string(":resource:") + kRaceSupply) != std::string::npos;
}

// The last event of the feed up to `through` before which all may go; 0: none.
Sequence before_the_race(store::JournalReader& reader, const FeedId& feed, Sequence through) {
  constexpr std::size_t kAtOnce = 256 * 1024;
  for (Offset from(1);;) {
    const auto segments = reader.read(from, kAtOnce);
    if (!segments) return Sequence(0);
    if (segments->empty()) return through;
    for (const store::JournalSegment& stored : *segments) {
      const auto segment = Segment::parse(stored.bytes);
      if (!segment) return Sequence(0);
      from = Offset(segment->info().first_offset.value + segment->records().size());
      if (segment->info().feed != feed) continue;
      for (const RecordView& record : segment->records()) {
        if (record.stamp.sequence > through) return through;
        if (is_of_the_race(record.body)) return Sequence(record.stamp.sequence.value - 1);
      }
    }
  }
}

}  // namespace

void SimNode::retain(Prng& random) {
  if (!up() || view_waits_) return;
  std::vector<FeedPosition> own;
  for (const FeedPosition& position : heads()) {
    const FeedId& feed = position.feed;
    if (feed.region == region() && feed.epoch == node_->identity().epoch && !feed.audience.is_local() &&
        position.head.sequence.value > 1)
      own.push_back(position);
  }
  if (own.empty()) return;
  const FeedPosition& at = random.pick(own);
  const Sequence wanted(1 + random.below(at.head.sequence.value));
  auto reader = store::open_reader(config_.journal);
  if (!reader) return;
  const Sequence through = before_the_race(**reader, at.feed, wanted);
  if (through.value == 0) return;
  const auto last = store::event_at(**reader, heads(), at.feed, through);
  if (!last) return;
  const auto digest = digest_behind(config_.view, at.feed, last->stamp.ordinal, head());
  if (!digest || !*digest) return;

  const core::Agent agent{*AgentId::parse(name().substr(0, 6) + ".emergency.operator"), "emergency", core::Role::operator_};
  const Audience& audience = at.feed.audience;
  Event event;
  event.envelope = {Kind::retention, retention_entity(region(), at.feed.lane, audience),
                    Status::Actual,  PlaceCode::of(region()),
                    "emergency",     Level::none,
                    audience,        world_.now()};
  event.body = Retention{at.feed.epoch,    at.feed.lane, {through, last->hash}, last->stamp.ordinal, world_.now(),
                         at.head.sequence, **digest};
  const core::Connection from{static_cast<std::uint8_t>(at.feed.lane == Lane::flash ? 0 : 1), "operator"};
  Hello hello;
  hello.session = SessionId(random.next() | 1U);
  Publish publish;
  publish.session = hello.session;
  publish.lane = at.feed.lane;
  publish.first_sequence = Sequence(1);
  publish.events = {encode_event(event)};
  hello.close_sessions = std::exchange(operator_sessions_, {hello.session});
  const bool flash = at.feed.lane == Lane::flash;
  world_.note(name() + " is to let go of " + to_text(at.feed) + " up to " + std::to_string(through.value));
  enqueue({clock(), core::RetentionPlanned{audience, std::get<Retention>(event.body)}}, flash);
  enqueue({clock(), core::AgentMessage{from, agent, std::move(hello)}}, flash);
  enqueue({clock(), core::AgentMessage{from, agent, std::move(publish)}}, flash);
}

// Each view says of each retention whether what stands there is what its region says. Where a region has had two nodes, an
// ordinal may stand twice, and then it is not.
void SimNode::judge_retentions() {
  for (const std::string& what : view_->mismatches()) {
    world_.note(name() + ": " + what);
    if (!book_.has_copies()) world_.fail("promise 5: " + name() + ": " + what);
  }
}

void SimNode::note_beginning(const SegmentInfo& info) {
  for (const FeedPosition& position : heads()) {
    if (position.feed != info.feed || position.begins.value + 1 != info.first_sequence.value) continue;
    world_.fired(Fault::begun_behind);
    world_.note(name() + " begins " + to_text(info.feed) + " behind " + std::to_string(position.begins.value));
  }
}

}  // namespace lianxi::sim
