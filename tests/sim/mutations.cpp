#include "tests/sim/mutations.h"

#include <set>
#include <span>

#include "broker/core/kinds/mobilisation.h"
#include "broker/core/peer_feed.h"
#include "broker/store/view_memory.h"
#include "schemas/codec/event_codec.h"
#include "schemas/mobilisation_thread.h"
#include "tests/sim/forge.h"

namespace lianxi {

// What the linker makes of calls to verify_chain from other files, and of the function itself.
Result<FeedHead> real_verify_chain(const Segment& segment, const FeedHead& before) __asm__(
    "__real__ZN6lianxi12verify_chainERKNS_7SegmentERKNS_8FeedHeadE");
Result<FeedHead> wrapped_verify_chain(const Segment& segment, const FeedHead& before) __asm__(
    "__wrap__ZN6lianxi12verify_chainERKNS_7SegmentERKNS_8FeedHeadE");

namespace core {

SegmentVerdict real_judge_segment(const Segment& segment, const FeedHead& ours, const SealPublicKey& key) __asm__(
    "__real__ZN6lianxi4core13judge_segmentERKNS_7SegmentERKNS_8FeedHeadERKSt5arrayIhLm32EE");
SegmentVerdict wrapped_judge_segment(const Segment& segment, const FeedHead& ours, const SealPublicKey& key) __asm__(
    "__wrap__ZN6lianxi4core13judge_segmentERKNS_7SegmentERKNS_8FeedHeadERKSt5arrayIhLm32EE");
Result<void> real_check_stock(const StockQuestion& ask) __asm__("__real__ZN6lianxi4core11check_stockERKNS0_13StockQuestionE");
Result<void> wrapped_check_stock(const StockQuestion& ask) __asm__("__wrap__ZN6lianxi4core11check_stockERKNS0_13StockQuestionE");

}  // namespace core

namespace store {

void real_visit_mobilisations(const ThreadVisit& ask) __asm__(
    "__real__ZN6lianxi5store19visit_mobilisationsERKNS0_11ThreadVisitE");
void wrapped_visit_mobilisations(const ThreadVisit& ask) __asm__(
    "__wrap__ZN6lianxi5store19visit_mobilisationsERKNS0_11ThreadVisitE");

}  // namespace store

namespace {
bool blind = false;
bool blind_to_forks = false;
bool no_stock_check = false;
bool stock_forgotten = false;
}  // namespace

Result<void> core::wrapped_check_stock(const StockQuestion& ask) {
  return no_stock_check ? Result<void>{} : real_check_stock(ask);
}

void store::wrapped_visit_mobilisations(const ThreadVisit& ask) {
  if (!stock_forgotten) return real_visit_mobilisations(ask);
  // Every message is there, and next to nothing was promised by it.
  const View::MobilisationVisitor visit = [&](const View::MessageOf& of) {
    Result<Event> event = decode_event(of.event);
    auto* message = event ? std::get_if<Mobilisation>(&event->body) : nullptr;
    if (message == nullptr) return;
    for (MobilisationItem& item : message->items)
      if (takes(*message, item)) item.quantity_milli = 1;
    const Bytes bytes = encode_event(*event);
    View::MessageOf changed = of;
    changed.event = bytes;
    ask.visit(changed);
  };
  real_visit_mobilisations({ask.db, visit, ask.over});
}

core::SegmentVerdict core::wrapped_judge_segment(const Segment& segment, const FeedHead& ours, const SealPublicKey& key) {
  SegmentVerdict verdict = real_judge_segment(segment, ours, key);
  if (blind_to_forks && verdict.outcome == SegmentVerdict::Outcome::forked) verdict = {SegmentVerdict::Outcome::known, {}};
  return verdict;
}

Result<FeedHead> wrapped_verify_chain(const Segment& segment, const FeedHead& before) {
  return blind ? Result<FeedHead>(segment.last()) : real_verify_chain(segment, before);
}

namespace sim {
namespace {

using store::JournalSegment;
using store::StoreResult;

class MutatedView final : public store::View {
 public:
  MutatedView(Mutation mutation, std::unique_ptr<store::View> view) : mutation_(mutation), view_(std::move(view)) {}

  [[nodiscard]] Offset offset() const override { return view_->offset(); }
  [[nodiscard]] Offset taken() const override { return view_->taken(); }
  [[nodiscard]] StoreResult<void> commit() override { return view_->commit(); }
  [[nodiscard]] std::vector<Count> counts() override { return view_->counts(); }
  [[nodiscard]] std::vector<std::string> mismatches() override { return view_->mismatches(); }
  [[nodiscard]] std::vector<RetainedFeed> retained() override { return view_->retained(); }
  [[nodiscard]] StoreResult<void> each_stock(RegionCode region, const StockVisitor& visit) const override {
    return view_->each_stock(region, visit);
  }
  [[nodiscard]] StoreResult<void> each_cut(RegionCode region, const CutVisitor& visit) const override {
    return view_->each_cut(region, visit);
  }
  [[nodiscard]] StoreResult<void> each_mobilisation(const MobilisationVisitor& visit,
                                                    const FinishedVisitor& over) const override {
    return view_->each_mobilisation(visit, over);
  }
  [[nodiscard]] StoreResult<void> each_alert(RegionCode region, const AlertVisitor& visit) const override {
    return view_->each_alert(region, visit);
  }
  [[nodiscard]] StoreResult<void> take(std::span<const store::SegmentView> segments) override {
    std::vector<JournalSegment> changed;
    for (const store::SegmentView& one : segments) {
      changed.push_back({one.first_offset, Bytes(one.bytes.begin(), one.bytes.end()), {}});
      if (mutation_ == Mutation::order_dependent_projection) {
        drop_orphans(changed.back());
      } else {
        share_local(changed.back());
      }
    }
    return view_->take(changed);
  }

 private:
  // A report on another region's incident counts only behind a word of that region itself.
  void drop_orphans(JournalSegment& one) {
    const auto segment = Segment::parse(one.bytes);
    if (!segment) return;
    const RegionCode from = segment->info().feed.region;
    blot_out(one.bytes, [&](const RecordView& record) {
      const Result<Event> event = decode_event(record.body);
      if (!event || event->envelope.kind != Kind::incident) return false;
      const auto home = home_region(event->envelope.entity);
      if (home && *home == from) known_.insert(event->envelope.entity);
      return home && *home != from && !known_.contains(event->envelope.entity);
    });
  }

  // A single local event is projected as one of the conference.
  void share_local(JournalSegment& one) {
    const auto segment = Segment::parse(one.bytes);
    if (!segment) return;
    const FeedId& feed = segment->info().feed;
    if (feed.audience == Audience::conference()) heads_[feed] = segment->last();
    if (!feed.audience.is_local() || segment->records().size() != 1) return;
    const FeedId shared{feed.region, feed.epoch, feed.lane, Audience::conference()};
    const auto head = heads_.find(shared);
    Result<Event> event = decode_event(segment->records().front().body);
    if (head == heads_.end() || !event) return;
    event->envelope.audience = Audience::conference();
    one.bytes = retold(shared, head->second, segment->records().front(), encode_event(*event), one.first_offset);
  }

  Mutation mutation_;
  std::unique_ptr<store::View> view_;
  std::set<std::string> known_;
  std::map<FeedId, FeedHead> heads_;
};

}  // namespace

std::unique_ptr<store::View> mutated_view(Mutation mutation, std::unique_ptr<store::View> view) {
  if (mutation != Mutation::order_dependent_projection && mutation != Mutation::local_in_shared_table) return view;
  return std::make_unique<MutatedView>(mutation, std::move(view));
}

BlindChain::BlindChain(bool is_blind) {
  blind = is_blind;
}
BlindChain::~BlindChain() {
  blind = false;
}

BlindForks::BlindForks(bool is_blind) {
  blind_to_forks = is_blind;
}
BlindForks::~BlindForks() {
  blind_to_forks = false;
}

BlindStock::BlindStock(bool no_check, bool forgets) {
  no_stock_check = no_check;
  stock_forgotten = forgets;
}
BlindStock::~BlindStock() {
  no_stock_check = stock_forgotten = false;
}

void hide_own(Message& message, RegionCode own) {
  if (auto* beat = std::get_if<Heartbeat>(&message))
    std::erase_if(beat->vector, [&](const FeedPosition& position) { return position.feed.region == own; });
}

}  // namespace sim
}  // namespace lianxi
