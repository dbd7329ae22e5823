// A DeliverOrder turned into one message: what a follower may have of the journal from its cursor onward.
#include <algorithm>

#include "broker/app/directory.h"
#include "broker/app/node.h"
#include "broker/core/sieve.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::app {
namespace {

using core::DeliverOrder;

constexpr std::size_t kSegmentOverheadBytes = 256;  // at least a segment's own header, with padding

bool lane_wanted(const DeliverOrder& order, Lane lane) {
  return (order.lanes & mask_of(lane)) != 0;
}

bool region_wanted(const DeliverOrder& order, RegionCode region) {
  return order.regions.empty() || std::find(order.regions.begin(), order.regions.end(), region) != order.regions.end();
}

Sequence held(const DeliverOrder& order, const FeedId& feed) {
  const auto at = std::find_if(order.have.begin(), order.have.end(), [&](const FeedPosition& p) { return p.feed == feed; });
  return at == order.have.end() ? Sequence(0) : at->head.sequence;
}

// Whether any event of the feed may reach the follower.
bool feed_admitted(const DeliverOrder& order, const core::Members& members, const FeedId& feed) {
  return lane_wanted(order, feed.lane) && region_wanted(order, feed.region) &&
         reaches(feed.audience, feed.region, order.agent, members);
}

bool event_admitted(const core::Sieve& sieve, const RecordView& record) {
  if (record.redacted) return false;
  const Result<Envelope> envelope = decode_envelope(record.body);
  if (!envelope || !sieve.admits(*envelope)) return false;
  if (!sieve.needs_body()) return true;
  const Result<Event> event = decode_event(record.body);
  return event && sieve.admits(event->body);
}

FeedHead head_before(const Segment& segment, std::size_t index) {
  if (index == 0) return {Sequence(segment.info().first_sequence.value - 1), segment.info().previous};
  const RecordView& record = segment.records()[index - 1];
  return {record.stamp.sequence, record.hash};
}

Bytes cut(const Segment& segment, Offset first_offset, std::size_t begin, std::size_t end, bool filtered) {
  SegmentWriter writer(segment.info().feed, head_before(segment, begin), Offset(first_offset.value + begin));
  if (filtered) writer.mark_filtered();
  for (std::size_t i = begin; i < end; ++i) writer.append(segment.records()[i]);
  return std::move(writer).finish();
}

// Fills one message; knows its bounds.
class Builder {
 public:
  explicit Builder(const DeliverOrder& order) : order_(order) {
    out_.follow = order.follow;
    out_.next = order.from;
  }

  [[nodiscard]] Offset next() const { return out_.next; }
  [[nodiscard]] bool full() const { return out_.segments.size() >= kDeliverTargetBytes; }
  [[nodiscard]] bool fits(std::size_t more) const {
    const std::size_t size = out_.segments.size() + more;
    return size <= order_.max_bytes && size <= kMaxDeliverBytes;
  }
  void add(BytesView bytes) { out_.segments.insert(out_.segments.end(), bytes.begin(), bytes.end()); }
  void pass(Offset next) { out_.next = std::max(out_.next, next); }

  // Feeds mode: a receiver can only prove what a seal stands behind, so a message ends where every feed in it is sealed.
  void note_seal(const FeedId& feed, bool sealed) {
    const auto at = std::find(unsealed_.begin(), unsealed_.end(), feed);
    if (sealed && at != unsealed_.end()) unsealed_.erase(at);
    if (!sealed && at == unsealed_.end()) unsealed_.push_back(feed);
  }
  [[nodiscard]] bool all_sealed() const { return unsealed_.empty(); }
  void mark_sealed_end() {
    sealed_size_ = out_.segments.size();
    sealed_next_ = out_.next;
  }
  void back_to_sealed_end() {
    out_.segments.resize(sealed_size_);
    out_.next = std::max(sealed_next_, order_.from);
  }

  [[nodiscard]] std::optional<Deliver> finish() && {
    if (out_.next <= order_.from) return std::nullopt;
    out_.caught_up = out_.next >= order_.head;
    return std::move(out_);
  }

 private:
  const DeliverOrder& order_;
  Deliver out_;
  std::vector<FeedId> unsealed_;
  std::size_t sealed_size_ = 0;
  Offset sealed_next_{0};
};

// False: the message is full.
bool take_events(Builder& out, const DeliverOrder& order, const core::Sieve& sieve, const Segment& segment, Offset first) {
  const FeedId& feed = segment.info().feed;
  const Sequence have = held(order, feed);
  const std::vector<RecordView>& records = segment.records();
  const auto wanted = [&](std::size_t i) {
    return first.value + i >= order.from.value && first.value + i < order.head.value && records[i].stamp.sequence > have &&
           event_admitted(sieve, records[i]);
  };
  std::size_t i = 0;
  while (i < records.size()) {
    if (!wanted(i)) {
      out.pass(Offset(first.value + ++i));
      continue;
    }
    // The run ends at the first unwanted event, or where the message is full.
    std::size_t bytes = records[i].bytes.size() + kSegmentOverheadBytes;
    if (!out.fits(bytes)) return false;
    std::size_t end = i + 1;
    bool stopped = false;
    while (end < records.size() && wanted(end)) {
      if (bytes >= kDeliverTargetBytes || !out.fits(bytes + records[end].bytes.size())) {
        stopped = true;
        break;
      }
      bytes += records[end++].bytes.size();
    }
    out.add(cut(segment, first, i, end, true));
    out.pass(Offset(first.value + end));
    if (stopped || out.full()) return false;
    i = end;
  }
  return true;
}

bool take_feed(Builder& out, const DeliverOrder& order, const store::JournalSegment& stored, const Segment& segment) {
  const std::vector<RecordView>& records = segment.records();
  const FeedId& feed = segment.info().feed;
  const Offset end(stored.first_offset.value + records.size());
  const Sequence have = held(order, feed);
  std::size_t begin = 0;
  while (begin < records.size() &&
         (records[begin].stamp.sequence <= have || stored.first_offset.value + begin < order.from.value)) {
    ++begin;
  }
  if (begin == records.size()) {
    out.pass(end);
    return true;
  }
  Bytes bytes = begin == 0 ? stored.bytes : cut(segment, stored.first_offset, begin, records.size(), false);
  if (stored.seal) bytes = with_seal(bytes, *stored.seal);
  if (!out.fits(bytes.size())) {
    out.back_to_sealed_end();
    return false;
  }
  out.add(bytes);
  out.pass(end);
  out.note_seal(feed, stored.seal.has_value());
  return true;
}

tl::unexpected<store::StoreFailure> unreadable(const store::JournalSegment& stored, const Refusal& why) {
  return tl::unexpected<store::StoreFailure>(store::StoreFailure{
      store::StoreError::corrupt,
      "segment at offset " + std::to_string(stored.first_offset.value) + ": " + why.field + " " + why.reason});
}

}  // namespace

store::StoreResult<std::optional<Deliver>> make_delivery(const DeliverOrder& order, const core::Policy& policy,
                                                         const core::Members& members, store::JournalReader& journal) {
  Builder out(order);
  const core::Sieve sieve(policy, order.agent, order.filter);
  std::size_t scanned = 0;
  bool open = true;
  // A run of segments without their seal is read on to the seal; it is at most one batch long.
  const auto enough = [&] { return scanned >= kMaxDeliverScanBytes && out.all_sealed(); };
  while (open && out.next() < order.head && !enough()) {
    auto read = journal.read(out.next(), kDeliverTargetBytes);
    if (!read) return tl::unexpected<store::StoreFailure>(std::move(read.error()));
    if (read->empty()) break;
    for (const store::JournalSegment& stored : *read) {
      if (stored.first_offset >= order.head || enough()) {
        open = false;
        break;
      }
      scanned += stored.bytes.size();
      const Result<Segment> segment = Segment::parse(stored.bytes);
      if (!segment) return unreadable(stored, segment.error());
      const FeedId& feed = segment->info().feed;
      const Offset end(stored.first_offset.value + segment->records().size());
      if (!feed_admitted(order, members, feed)) {
        out.pass(end);
      } else if (order.mode == FollowMode::events) {
        open = take_events(out, order, sieve, *segment, stored.first_offset);
      } else {
        open = take_feed(out, order, stored, *segment);
      }
      if (open && out.all_sealed()) {
        out.mark_sealed_end();
        open = !out.full();
      }
      if (!open) break;
    }
  }
  if (order.mode == FollowMode::feeds && !out.all_sealed()) out.back_to_sealed_end();
  return std::move(out).finish();
}

}  // namespace lianxi::app
