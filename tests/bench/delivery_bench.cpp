// What a delivery costs the broker's thread for each event and follower: plan, cut and frame, without the socket. Followers
// stand at the head; a commit of events of 256 bytes comes, and everybody gets it.
#include <benchmark/benchmark.h>

#include "broker/app/delivery_desk.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"

namespace lianxi::app {
namespace {

const RegionCode kQuzhou{330800};

Bytes state_event(std::uint64_t number) {
  Resource body;
  body.change = ResourceChange::state;
  body.state = ResourceState::deployed;
  body.address = std::string(100, 'x');
  Event event;
  event.envelope.kind = Kind::resource;
  event.envelope.entity = resource_entity(kQuzhou, "bench-" + std::to_string(1'000 + number % 1'000));
  event.envelope.place = *PlaceCode::parse("330803");
  event.envelope.agency = number % 2 == 0 ? "police" : "fire";
  event.envelope.audience = Audience::conference();
  event.body = body;
  return encode_event(event);
}

class Frames final : public Outlet {
 public:
  SendResult answer(const core::Connection&, const Message&) override { return SendResult::sent; }
  SendResult deliver(const core::Connection&, const DeliveryHead& head, const std::shared_ptr<const Bytes>& segments) override {
    const FrameHeader header{MessageType::deliver, 0, Lane::flash, head.follow, head.next.value};
    benchmark::DoNotOptimize(encode_header(header, *segments));
    return SendResult::sent;
  }
};

class NoReads final : public ColdReads {
 public:
  void ask(ColdJob) override {}
  std::optional<ColdResult> take() override { return std::nullopt; }
  [[nodiscard]] bool done() const override { return false; }
};

// Arguments: followers, events of a commit, 1: a filter that looks at every event and admits half of them.
void deliver(benchmark::State& state) {
  const auto followers = static_cast<std::size_t>(state.range(0));
  const auto events = static_cast<std::size_t>(state.range(1));
  core::Grant all;
  all.agents = "*.*.*";
  all.follow.push_back({});
  core::Member member;
  member.region = kQuzhou;
  DeliveryDesk desk(std::make_unique<NoReads>(), [](const core::Connection&, SessionId) { return true; });
  desk.rights(std::make_shared<const core::Policy>(std::vector{all}),
              std::make_shared<const core::Members>(std::vector{member}, std::vector<core::Group>{}));
  std::vector<std::shared_ptr<const core::FollowSpec>> specs;
  for (std::size_t i = 0; i < followers; ++i) {
    core::FollowSpec spec;
    spec.agent = {*AgentId::parse("330800.police.f" + std::to_string(i)), "police", core::Role::agent};
    if (state.range(2) != 0) spec.filter.agencies = {"police"};
    specs.push_back(std::make_shared<const core::FollowSpec>(std::move(spec)));
  }
  const FeedId feed{kQuzhou, Epoch(1), Lane::normal, Audience::conference()};
  FeedHead head;
  Offset next(1);
  std::vector<Bytes> bodies;
  for (std::size_t i = 0; i < events; ++i) bodies.push_back(state_event(i));
  Frames outlet;
  for (auto _ : state) {
    state.PauseTiming();
    SegmentInfo info{feed, Sequence(head.sequence.value + 1), static_cast<std::uint32_t>(events), next, head.hash, false};
    SegmentWriter writer(feed, head, next);
    for (std::size_t i = 0; i < events; ++i) {
      Stamp stamp;
      stamp.sequence = Sequence(head.sequence.value + 1);
      stamp.ordinal = Ordinal(stamp.sequence.value);
      stamp.publisher = *AgentId::parse("330800.police.a");
      head = writer.append(stamp, Salt{}, bodies[i]);
    }
    const Offset from = next;
    next = Offset(next.value + events);
    StoredSegment stored{info, head, std::move(writer).finish(), std::nullopt};
    std::vector<core::DeliverOrder> orders;
    for (std::size_t i = 0; i < followers; ++i) {
      core::DeliverOrder order;
      order.connection = {2, std::to_string(i)};
      order.spec = specs[i];
      order.follow = SessionId(i + 1);
      order.from = from;
      order.head = next;
      order.max_bytes = kMaxCreditBytes;
      order.max_messages = 1'000'000;
      orders.push_back(std::move(order));
    }
    state.ResumeTiming();
    desk.remember(std::make_shared<const HeldSegment>(std::move(stored), true));
    desk.take(std::move(orders), outlet, [] { return FeedVector{}; });
    std::size_t steps = 1'000'000;
    std::size_t unbroken = steps;
    desk.say_others(outlet, steps, unbroken);
    benchmark::DoNotOptimize(desk.take_done());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(followers * events));
}
BENCHMARK(deliver)
    ->ArgNames({"followers", "events", "filter"})
    ->Args({1, 2'000, 0})
    ->Args({16, 2'000, 0})
    ->Args({16, 10, 0})
    ->Args({16, 2'000, 1});

}  // namespace
}  // namespace lianxi::app

BENCHMARK_MAIN();
