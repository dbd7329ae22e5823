#include "broker/app/delivery.h"

#include <algorithm>
#include <utility>

#include "broker/app/feed_runs.h"
#include "schemas/codec/segment.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kSegmentWork = 10;  // to pass a segment, or to take it whole
constexpr std::size_t kPackBytes = 3;     // compressed in the time of one comparison

// Fills one message; knows its bounds.
class Builder {
 public:
  Builder(const DeliveryPlan& plan, const Stretch& stretch, Pace& pace)
      : plan_(plan), stretch_(stretch), pace_(pace), next_(stretch.from) {}

  [[nodiscard]] Offset next() const { return next_; }
  [[nodiscard]] bool all_sealed() const { return feeds_.all_sealed(); }
  // False: the message ends here.
  bool take(const SharedSegment& segment) {
    if (!plan_.feed_admitted(segment->info().feed)) {
      pass(segment->end());
    } else if (plan_.mode() == FollowMode::events ? !take_events(segment) : !take_feed(segment)) {
      full_ = true;
      return false;
    }
    // A run of segments without their seal has no end before it.
    if (plan_.mode() == FollowMode::events && pace_.spend(kSegmentWork)) {
      full_ = true;
      return false;
    }
    if (!all_sealed()) return true;
    sealed_next_ = next_;
    full_ = size() >= stretch_.step_bytes;
    return !full_;
  }
  void stop() { full_ = true; }

  [[nodiscard]] Chunk finish() && {
    if (plan_.mode() == FollowMode::feeds) {
      if (!all_sealed()) {  // the message ends where every feed in it is sealed
        next_ = std::max(sealed_next_, stretch_.from);
        full_ = true;
      }
      bytes_ = std::move(feeds_).finish();
    }
    if (!whole_) whole_ = std::make_shared<const Bytes>(std::move(bytes_));
    return {std::move(whole_), next_, full_ && next_ < stretch_.head};
  }

 private:
  [[nodiscard]] std::size_t size() const { return whole_ ? whole_->size() : bytes_.size() + feeds_.size(); }
  [[nodiscard]] std::size_t room(std::size_t target) const {
    const std::size_t most = std::min<std::size_t>({stretch_.max_bytes, kMaxDeliverBytes, target});
    return most > size() ? most - size() : 0;
  }
  void pass(Offset next) { next_ = std::max(next_, next); }
  void own_bytes() {
    if (whole_) bytes_.assign(whole_->begin(), whole_->end());
    whole_.reset();
  }

  // The part of a segment that lies in the stretch and is new to the follower; empty if begin >= end.
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  [[nodiscard]] Part part_of(const HeldSegment& segment, bool to_head) const {
    const SegmentInfo& info = segment.info();
    const std::uint64_t first = info.first_offset.value;
    const std::uint64_t have = plan_.held(info.feed).value;
    std::uint64_t begin = next_.value > first ? next_.value - first : 0;
    if (have >= info.first_sequence.value) begin = std::max(begin, have - info.first_sequence.value + 1);
    std::uint64_t end = info.count;
    if (to_head) end = std::min(end, stretch_.head.value > first ? stretch_.head.value - first : 0);
    return {static_cast<std::size_t>(std::min<std::uint64_t>(begin, info.count)), static_cast<std::size_t>(end)};
  }

  bool take_events(const SharedSegment& segment) {
    const Part part = part_of(*segment, true);
    if (part.begin < part.end) {
      const bool plain = plan_.everything() && !segment->may_hold_redacted();
      // A segment is not cut for what stands before it: so whoever follows by this plan is served by the same cuts, wherever
      // he began.
      if (plain && size() > 0 && part.begin == 0 && segment->bytes().size() > room(kStepBytes)) return false;
      if (!(plain ? take_plain(segment, part) : take_judged(*segment, part))) return false;
    }
    pass(std::min(segment->end(), stretch_.head));
    return true;
  }

  // Everything of the part is admitted: no event is looked at.
  bool take_plain(const SharedSegment& segment, Part part) {
    const bool whole = part.begin == 0 && part.end == segment->info().count;
    if (whole && segment->bytes().size() <= room(kStepBytes)) {
      if (size() == 0) {
        whole_ = segment->shared_bytes();
      } else {
        own_bytes();
        bytes_.insert(bytes_.end(), segment->bytes().begin(), segment->bytes().end());
      }
      return true;
    }
    return take_run(*segment, part, false);
  }

  // Event by event, in runs of what is admitted; no further than the message has room, or the pace lasts.
  bool take_judged(const HeldSegment& segment, Part part) {
    std::size_t work = 0;
    SegmentJudge judge(plan_, segment, work);
    const auto over = [&] { return pace_.spend(std::exchange(work, 0)); };
    const std::uint64_t first = segment.first().value;
    bool left_out = false;
    for (std::size_t i = part.begin; i < part.end;) {
      if (!judge.admits(i, work)) {
        left_out = true;
        pass(Offset(first + ++i));
        if (over() && i < part.end) return false;
        continue;
      }
      const std::size_t run = i++;
      const std::size_t end = std::min(part.end, std::max(i, segment.records().end_within(run, room(kStepBytes))));
      bool in_run = true;
      bool stop = false;
      while (i < end && !(stop = over()) && (in_run = judge.admits(i, work))) ++i;
      left_out = left_out || !in_run;
      if (!take_run(segment, {run, i}, left_out)) return false;
      if (!in_run) pass(Offset(first + ++i));
      if (stop && i < part.end) return false;
    }
    return true;
  }

  // False: not all of the run has room.
  bool take_run(const HeldSegment& segment, Part run, bool filtered) {
    std::size_t end = std::min(run.end, segment.records().end_within(run.begin, room(kStepBytes)));
    // The first event of a message may be larger than the target.
    if (end == run.begin && size() == 0)
      end = std::min(run.begin + 1, segment.records().end_within(run.begin, room(kMaxDeliverBytes)));
    if (end == run.begin) return false;
    own_bytes();
    segment.records().append_cut(bytes_, run.begin, end, filtered);
    pass(Offset(segment.first().value + end));
    return end == run.end;
  }

  bool take_feed(const SharedSegment& segment) {
    const Part part = part_of(*segment, false);
    if (part.begin < part.end) {
      if (FeedRuns::size_of(*segment, part.begin, part.end) > room(kMaxDeliverBytes)) return false;
      feeds_.take(segment, part.begin, part.end);
    }
    pass(segment->end());
    return true;
  }

  const DeliveryPlan& plan_;
  const Stretch& stretch_;
  Pace& pace_;
  Bytes bytes_;
  std::shared_ptr<const Bytes> whole_;  // instead of bytes_, while one stored segment is all there is
  Offset next_;
  bool full_ = false;
  FeedRuns feeds_;  // mode feeds
  Offset sealed_next_{0};
};

}  // namespace

store::StoreResult<Chunk> make_chunk(const DeliveryPlan& plan, const Stretch& stretch, SegmentSource& source, Pace& pace) {
  Builder out(plan, stretch, pace);
  std::size_t scanned = 0;
  // A run of segments without their seal is read on to the seal; it is at most one batch long.
  const auto enough = [&] { return scanned >= kMaxDeliverScanBytes && out.all_sealed(); };
  while (out.next() < stretch.head) {
    auto read = source.read(out.next(), kStepBytes);
    if (!read) return tl::unexpected(std::move(read.error()));
    if (read->empty()) break;
    for (const SharedSegment& segment : *read) {
      if (segment->first() >= stretch.head) return std::move(out).finish();
      if (enough()) {
        out.stop();
        return std::move(out).finish();
      }
      scanned += segment->bytes().size();
      if (!out.take(segment)) return std::move(out).finish();
    }
  }
  return std::move(out).finish();
}

void pack_chunk(const DeliveryPlan& plan, Chunk& chunk, Packer& packer, Pace& pace) {
  if (!plan.packs() || chunk.segments->size() < kMinPackBytes) return;
  if (auto packed = packer.pack(*chunk.segments)) chunk.packed = std::make_shared<const Bytes>(std::move(*packed));
  (void)pace.spend(chunk.segments->size() / kPackBytes);
}

}  // namespace lianxi::app
