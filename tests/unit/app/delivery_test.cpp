#include <gtest/gtest.h>

#include <map>

#include "broker/app/cold_reads.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::app {
namespace {

const RegionCode kQuzhou{330800};
const RegionCode kHuangshan{341000};

Bytes report(const std::string& name, const std::string& place, const Audience& audience) {
  Event event;
  event.envelope.kind = Kind::incident;
  event.envelope.entity = incident_entity(kQuzhou, name);
  event.envelope.place = *PlaceCode::parse(place);
  event.envelope.agency = "police";
  event.envelope.audience = audience;
  IncidentReport body;
  body.case_reference = name;
  body.title = "t";
  event.body = body;
  return encode_event(event);
}

// A journal in memory: every call of `add` is one sealed segment.
class MemoryJournal final : public SegmentSource {
 public:
  void add(RegionCode region, const Audience& audience, const std::vector<std::string>& places, Lane lane = Lane::normal) {
    const FeedId feed{region, Epoch(1), lane, audience};
    FeedHead& head = heads_[feed];
    SegmentWriter writer(feed, head, next_);
    const Offset first = next_;
    for (const std::string& place : places) {
      Stamp stamp;
      stamp.sequence = Sequence(head.sequence.value + 1);
      stamp.ordinal = Ordinal(next_.value);
      stamp.publisher = *AgentId::parse(to_text(region) + ".police.a");
      head = writer.append(stamp, Salt{}, report("c" + std::to_string(next_.value), place, audience));
      next_ = Offset(next_.value + 1);
    }
    segments_.push_back({first, std::move(writer).finish(), sign_seal(keys_.secret_key, feed, head)});
  }
  [[nodiscard]] FeedHead head(RegionCode region, const Audience& audience) {
    return heads_[{region, Epoch(1), Lane::normal, audience}];
  }

  store::StoreResult<std::vector<SharedSegment>> read(Offset from, std::size_t max_bytes) override {
    std::vector<SharedSegment> out;
    std::size_t bytes = 0;
    for (const store::JournalSegment& stored : segments_) {
      SharedSegment segment = *HeldSegment::read_back(stored);
      if (segment->end() <= from || bytes > max_bytes) continue;
      bytes += stored.bytes.size();
      out.push_back(std::move(segment));
    }
    return out;
  }
  [[nodiscard]] Offset next_offset() const { return next_; }

 private:
  Offset next_{1};
  std::map<FeedId, FeedHead> heads_;
  std::vector<store::JournalSegment> segments_;
  SealKeyPair keys_ = seal_keys_from_seed(Hash{7});
};

class Delivery : public ::testing::Test {
 protected:
  Delivery() {
    core::Member quzhou, huangshan;
    quzhou.region = kQuzhou;
    huangshan.region = kHuangshan;
    members_ = core::Members({quzhou, huangshan}, {{*Audience::parse("inner"), {kQuzhou}}});
    core::Grant all;
    all.agents = "*.*.*";
    all.follow.push_back({});
    policy_ = core::Policy({all});
  }

  struct Order {
    core::FollowSpec spec;
    Offset from{1};
    Offset head;
    std::uint64_t max_bytes = kMaxDeliverBytes;
  };
  [[nodiscard]] Order order(FollowMode mode, RegionCode region = kQuzhou) {
    Order out;
    out.spec.agent = {*AgentId::parse(to_text(region) + (mode == FollowMode::feeds ? ".broker.node" : ".police.b")), "police",
                      mode == FollowMode::feeds ? core::Role::node : core::Role::agent};
    out.spec.mode = mode;
    out.head = journal_.next_offset();
    return out;
  }
  [[nodiscard]] std::optional<Chunk> deliver(const Order& what) {
    const DeliveryPlan plan(std::make_shared<const core::FollowSpec>(what.spec), std::make_shared<const core::Policy>(policy_),
                            std::make_shared<const core::Members>(members_));
    Pace pace(kColdWork);
    auto out = make_chunk(plan, {what.from, what.head, what.max_bytes}, journal_, pace);
    EXPECT_TRUE(out);
    if (out->next == what.from) return std::nullopt;
    return *out;
  }
  static std::vector<std::uint64_t> offsets(const Chunk& message) {
    std::vector<std::uint64_t> out;
    const Result<std::vector<Segment>> segments = parse_segments(*message.segments);
    EXPECT_TRUE(segments) << (segments ? "" : segments.error().reason);
    if (!segments) return out;
    for (const Segment& segment : *segments) {
      for (std::size_t i = 0; i < segment.records().size(); ++i) out.push_back(segment.info().first_offset.value + i);
    }
    return out;
  }
  using Offsets = std::vector<std::uint64_t>;

  MemoryJournal journal_;
  core::Members members_;
  core::Policy policy_;
};

TEST_F(Delivery, EventsComeInOffsetOrderUpToTheHead) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803"});
  journal_.add(kHuangshan, Audience::conference(), {"341002"});
  const auto message = deliver(order(FollowMode::events));
  ASSERT_TRUE(message);
  EXPECT_EQ(offsets(*message), (Offsets{1, 2, 3}));
  EXPECT_EQ(message->next, Offset(4));
  EXPECT_FALSE(message->full);
}

TEST_F(Delivery, AFilterCutsSegmentsIntoRunsThatAreMarked) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803", "330802", "330802"});
  Order what = order(FollowMode::events);
  what.spec.filter.places = {*PlaceCode::parse("330802")};
  const auto message = deliver(what);
  ASSERT_TRUE(message);
  EXPECT_EQ(offsets(*message), (Offsets{1, 3, 4}));
  const std::vector<Segment> segments = *parse_segments(*message->segments);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_TRUE(segments[1].info().filtered);
  EXPECT_EQ(segments[1].info().first_sequence, Sequence(3));
}

TEST_F(Delivery, TheCursorMovesOverWhatIsNotAdmitted) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803"});
  Order what = order(FollowMode::events);
  what.spec.filter.places = {*PlaceCode::parse("3610")};
  const auto message = deliver(what);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->segments->empty());
  EXPECT_EQ(message->next, Offset(3));
}

TEST_F(Delivery, RightsBoundWhatAFilterMayAskFor) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803"});
  core::Grant grant;
  grant.agents = "*.police.*";
  core::Rule rule;
  rule.places = {*PlaceCode::parse("330803")};
  grant.follow.push_back(rule);
  policy_ = core::Policy({grant});
  EXPECT_EQ(offsets(*deliver(order(FollowMode::events))), (Offsets{2}));
}

TEST_F(Delivery, LocalEventsReachTheirRegionsAgentsOnly) {
  journal_.add(kQuzhou, Audience::local(), {"330802"});
  EXPECT_EQ(offsets(*deliver(order(FollowMode::events, kQuzhou))), (Offsets{1}));
  EXPECT_EQ(offsets(*deliver(order(FollowMode::events, kHuangshan))), (Offsets{}));
  EXPECT_EQ(offsets(*deliver(order(FollowMode::feeds, kHuangshan))), (Offsets{}));
}

TEST_F(Delivery, AGroupsEventsReachItsMembersOnly) {
  journal_.add(kQuzhou, *Audience::parse("inner"), {"330802"});
  EXPECT_EQ(offsets(*deliver(order(FollowMode::events, kQuzhou))), (Offsets{1}));
  EXPECT_EQ(offsets(*deliver(order(FollowMode::events, kHuangshan))), (Offsets{}));
  EXPECT_EQ(offsets(*deliver(order(FollowMode::feeds, kHuangshan))), (Offsets{}));
}

TEST_F(Delivery, AFeedsBatchesGoAsOneSegmentUnderTheLastSeal) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803"});
  journal_.add(kQuzhou, Audience::conference(), {"330802"}, Lane::normal);
  journal_.add(kQuzhou, Audience::conference(), {"330802"}, Lane::bulk);
  journal_.add(kQuzhou, Audience::conference(), {"330803"}, Lane::normal);
  journal_.add(kQuzhou, Audience::conference(), {"330803"}, Lane::bulk);
  const auto message = deliver(order(FollowMode::feeds, kHuangshan));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->next, Offset(7));
  const std::vector<Segment> segments = *parse_segments(*message->segments);
  std::map<Lane, std::size_t> events;
  for (const Segment& segment : segments) {
    EXPECT_TRUE(events.emplace(segment.info().feed.lane, segment.records().size()).second) << "one segment a feed";
    ASSERT_TRUE(segment.seal());
    EXPECT_FALSE(segment.info().filtered);
    const Result<FeedHead> after = verify_chain(segment, FeedHead{});
    ASSERT_TRUE(after);
    EXPECT_EQ(segment.seal()->sequence, after->sequence);
    EXPECT_EQ(segment.seal()->hash, after->hash);
  }
  EXPECT_EQ(events, (std::map<Lane, std::size_t>{{Lane::normal, 4}, {Lane::bulk, 2}}));
}

TEST_F(Delivery, WhatAPeerHoldsIsCutOutOfTheFirstOfJoinedBatches) {
  for (int i = 0; i < 5; ++i) journal_.add(kQuzhou, Audience::conference(), {"330802", "330803"});
  Order what = order(FollowMode::feeds, kHuangshan);
  const std::vector<Segment> whole = *parse_segments(*deliver(what)->segments);
  const FeedHead held{Sequence(3), whole.at(0).records().at(2).hash};
  what.spec.have = {{whole[0].info().feed, held}};
  const auto message = deliver(what);
  const std::vector<Segment> rest = *parse_segments(*message->segments);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].records().size(), 7U);
  EXPECT_TRUE(verify_chain(rest[0], held));
  EXPECT_TRUE(rest[0].seal());
}

TEST_F(Delivery, WhatAPeerHoldsIsCutAwayAndTheRestStillChains) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803", "330802"});
  Order what = order(FollowMode::feeds, kHuangshan);
  const std::vector<Segment> whole = *parse_segments(*deliver(what)->segments);
  const FeedHead held{Sequence(2), whole[0].records()[1].hash};
  what.spec.have = {{whole[0].info().feed, held}};
  const auto message = deliver(what);
  ASSERT_TRUE(message);
  EXPECT_EQ(offsets(*message), (Offsets{3}));
  const std::vector<Segment> rest = *parse_segments(*message->segments);
  EXPECT_TRUE(verify_chain(rest[0], held));
  EXPECT_TRUE(rest[0].seal());
}

TEST_F(Delivery, LanesAndRegionsThatWereNotAskedForAreLeftOut) {
  journal_.add(kQuzhou, Audience::conference(), {"330802"}, Lane::flash);
  journal_.add(kQuzhou, Audience::conference(), {"330802"}, Lane::normal);
  journal_.add(kHuangshan, Audience::conference(), {"341002"}, Lane::normal);
  Order what = order(FollowMode::feeds, kHuangshan);
  what.spec.lanes = mask_of(Lane::normal);
  what.spec.regions = {kQuzhou};
  EXPECT_EQ(offsets(*deliver(what)), (Offsets{2}));
}

TEST_F(Delivery, NothingIsSaidWhenTheFirstEventExceedsTheCredit) {
  journal_.add(kQuzhou, Audience::conference(), {"330802"});
  for (const FollowMode mode : {FollowMode::events, FollowMode::feeds}) {
    Order what = order(mode, kHuangshan);
    what.max_bytes = 10;
    EXPECT_FALSE(deliver(what));
  }
}

TEST_F(Delivery, CreditEndsAMessageBetweenEvents) {
  journal_.add(kQuzhou, Audience::conference(), {"330802", "330803", "330802", "330803"});
  Order what = order(FollowMode::events);
  const std::size_t all = deliver(what)->segments->size();
  what.max_bytes = all / 2 + 256;
  const auto first = deliver(what);
  ASSERT_TRUE(first);
  EXPECT_LE(first->segments->size(), what.max_bytes);
  EXPECT_TRUE(first->full);
  what.from = first->next;
  what.max_bytes = kMaxDeliverBytes;
  Offsets both = offsets(*first);
  for (const std::uint64_t offset : offsets(*deliver(what))) both.push_back(offset);
  EXPECT_EQ(both, (Offsets{1, 2, 3, 4}));
}

TEST_F(Delivery, AMessageStopsNearItsTargetAndTheNextGoesOn) {
  for (int i = 0; i < 600; ++i) journal_.add(kQuzhou, Audience::conference(), {"330802", "330803", "330802"});
  for (const FollowMode mode : {FollowMode::events, FollowMode::feeds}) {
    Order what = order(mode, kHuangshan);
    std::size_t messages = 0, events = 0;
    while (what.from < what.head && messages < 100) {
      const auto message = deliver(what);
      ASSERT_TRUE(message);
      EXPECT_LE(message->segments->size(), mode == FollowMode::events ? kStepBytes : kStepBytes + 4096);
      events += offsets(*message).size();
      what.from = message->next;
      ++messages;
    }
    EXPECT_EQ(events, 1800U);
    EXPECT_GT(messages, 1U);
  }
}

}  // namespace
}  // namespace lianxi::app
