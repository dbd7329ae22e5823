#include "broker/core/sequencer.h"

#include <algorithm>
#include <utility>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kRecordOverheadBytes = 512;  // more than stamp, salt, hash and checksum of one record

}  // namespace

Sequencer::Sequencer(RegionCode region, Epoch epoch, Offset next, const FeedVector& heads, Ordinal last_ordinal, Hlc last_time)
    : region_(region), epoch_(epoch), next_(next), peer_offset_(next), last_ordinal_(last_ordinal), clock_(last_time) {
  for (const FeedPosition& position : heads) heads_[position.feed] = position.head;
}

// Asked for each follower whenever something was added, so it looks at the asked regions only: in a mesh each link asks for one.
bool Sequencer::nothing_behind(Offset cursor, const std::vector<RegionCode>& regions, LaneMask lanes) const {
  const auto not_behind = [&](const auto& entry) { return (lanes & mask_of(entry.first.second)) == 0 || entry.second <= cursor; };
  if (regions.empty()) return std::all_of(ends_.begin(), ends_.end(), not_behind);
  return std::all_of(regions.begin(), regions.end(), [&](RegionCode region) {
    const auto first = ends_.lower_bound({region, Lane::flash});
    const auto last = ends_.upper_bound({region, Lane::bulk});
    return std::all_of(first, last, not_behind);
  });
}

FeedHead Sequencer::head(const FeedId& feed) const {
  const auto found = heads_.find(feed);
  return found == heads_.end() ? FeedHead{} : found->second;
}

std::optional<Hash> Sequencer::recent_hash(const FeedId& feed, Sequence sequence) const {
  const auto of = recent_.find(feed);
  const Sequence last = head(feed).sequence;
  if (of == recent_.end() || sequence < of->second.first || sequence > last || last.value - sequence.value >= kRecentHashes)
    return std::nullopt;
  return of->second.hashes[sequence.value % kRecentHashes];
}

Sequence Sequencer::last_sequence(const FeedId& feed) const {
  const auto open = pending_.find(feed);
  return open == pending_.end() || open->second.empty() ? head(feed).sequence : positions_[open->second.back().ticket].sequence;
}

Sequencer::Ticket Sequencer::accept(const Turn& turn, const FeedId& feed, const Author& author, BytesView body) {
  auto& [own, events] = *pending_.try_emplace(feed).first;
  last_ordinal_ = Ordinal{last_ordinal_.value + 1};
  const Sequence sequence{(events.empty() ? head(feed).sequence.value : positions_[events.back().ticket].sequence.value) + 1};
  const auto ticket = static_cast<Ticket>(positions_.size());
  positions_.push_back(Position{&own, sequence, last_ordinal_, Offset{}});
  events.push_back(Pending{ticket, clock_.tick(turn.now), author, body});
  return ticket;
}

Sequence Sequencer::begins(const FeedId& feed) const {
  const auto found = begins_.find(feed);
  return found == begins_.end() ? Sequence{} : found->second;
}

void Sequencer::begun(const std::vector<Beginning>& beginnings) {
  for (const Beginning& beginning : beginnings) begins_[beginning.feed] = beginning.through.sequence;
}

void Sequencer::begin_peer(Beginning beginning) {
  heads_[beginning.feed] = beginning.through;
  begins_[beginning.feed] = beginning.through.sequence;
  beginnings_.push_back(std::move(beginning));
}

void Sequencer::append_peer(StoredSegment segment) {
  heads_[segment.info.feed] = segment.last;
  peer_offset_ = Offset{peer_offset_.value + segment.info.count};
  from_peers_.push_back(std::move(segment));
}

void Sequencer::close(Turn& turn) {
  JournalBatch& batch = turn.effects.batch;
  batch.first_offset = next_;
  next_ = peer_offset_;
  batch.segments = std::move(from_peers_);
  from_peers_.clear();
  batch.beginnings = std::exchange(beginnings_, {});
  std::vector<Salt> salts(positions_.size());
  if (!salts.empty()) derive_salts(turn.entropy, positions_.front().ordinal, salts);
  for (auto& [feed, events] : pending_) {
    if (!events.empty()) write_feed(turn, feed, events, salts);
    events.clear();
  }
  peer_offset_ = next_;
  for (const StoredSegment& segment : batch.segments)
    ends_[{segment.info.feed.region, segment.info.feed.lane}] = Offset{segment.info.first_offset.value + segment.info.count};
}

void Sequencer::write_feed(Turn& turn, const FeedId& feed, const std::vector<Pending>& events, std::span<const Salt> of_turn) {
  FeedHead& head = heads_[feed];
  Recent& recent =
      recent_.try_emplace(feed, Recent{Sequence{head.sequence.value + 1}, std::vector<Hash>(kRecentHashes)}).first->second;
  std::vector<Salt> salts;
  std::vector<BytesView> bodies;
  salts.reserve(events.size());
  bodies.reserve(events.size());
  std::size_t bytes = 0;
  for (const Pending& event : events) {
    salts.push_back(of_turn[event.ticket]);
    bodies.push_back(event.body);
    bytes += event.body.size() + kRecordOverheadBytes;
  }
  std::vector<Hash> digests(events.size());
  body_digests(salts, bodies, digests);

  std::optional<SegmentWriter> writer;
  SegmentInfo info;
  const auto finish = [&] {
    info.count = writer->count();
    turn.effects.touched.push_back({feed, head});
    turn.effects.batch.segments.push_back(StoredSegment{info, head, std::move(*writer).finish(), std::nullopt});
    writer.reset();
  };
  Stamp stamp;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Pending& event = events[i];
    Position& position = positions_[event.ticket];
    if (writer && writer->size_bytes() + event.body.size() + kRecordOverheadBytes > kMaxBatchBytes) finish();
    if (!writer) {
      writer.emplace(feed, head, next_);
      writer->reserve(std::min(bytes, kMaxBatchBytes));
      info = SegmentInfo{feed, position.sequence, 0, next_, head.hash, false};
    }
    stamp.sequence = position.sequence;
    stamp.ordinal = position.ordinal;
    stamp.time = event.time;
    stamp.session = event.author.session;
    stamp.session_sequence = event.author.sequence;
    if (i == 0 || event.author.agent != events[i - 1].author.agent) stamp.publisher = *event.author.agent;
    position.offset = next_;
    head = writer->append(stamp, salts[i], digests[i], event.body);
    recent.hashes[head.sequence.value % kRecentHashes] = head.hash;
    next_ = Offset{next_.value + 1};
  }
  if (writer) finish();
}

}  // namespace lianxi::core
