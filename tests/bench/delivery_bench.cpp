// What a delivery costs the broker's thread for each event and follower: plan, cut and frame, without the socket. Followers
// stand at the head; a commit of events of 256 bytes comes, and everybody gets it. And what it costs to catch up with what
// was committed event by event.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "broker/app/delivery_desk.h"
#include "broker/store/sqlite_journal.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"
#include "tests/support/fine_ring.h"

namespace lianxi::app {
namespace {

const RegionCode kQuzhou{330800};
constexpr LonLat kCentre = test::kRingCentre;

// No two alike.
FilterArea ring_of(std::size_t follower) {
  return test::fine_ring(0.1 + 0.001 * static_cast<double>(follower));
}

Bytes state_event(std::uint64_t number) {
  Resource body;
  body.change = ResourceChange::state;
  body.state = ResourceState::deployed;
  body.address = std::string(100, 'x');
  body.location = kCentre;
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

DeliveryDesk desk_with(std::unique_ptr<ColdReads> cold) {
  core::Grant all;
  all.agents = "*.*.*";
  all.follow.push_back({});
  core::Member member;
  member.region = kQuzhou;
  DeliveryDesk desk(std::move(cold), [](const core::Connection&, SessionId) { return true; });
  desk.rights(std::make_shared<const core::Policy>(std::vector{all}),
              std::make_shared<const core::Members>(std::vector{member}, std::vector<core::Group>{}));
  return desk;
}

core::DeliverOrder order_of(std::size_t follower, std::shared_ptr<const core::FollowSpec> spec, Offset from, Offset head) {
  core::DeliverOrder order;
  order.connection = {2, std::to_string(follower)};
  order.spec = std::move(spec);
  order.follow = SessionId(follower + 1);
  order.from = from;
  order.head = head;
  order.max_bytes = kMaxCreditBytes;
  order.max_messages = 1'000'000;
  return order;
}

std::shared_ptr<core::FollowSpec> spec_of(std::size_t follower) {
  auto spec = std::make_shared<core::FollowSpec>();
  spec->agent = {*AgentId::parse("330800.police.f" + std::to_string(follower)), "police", core::Role::agent};
  return spec;
}

// One feed, commit by commit.
class Commits {
 public:
  StoredSegment next(const std::vector<Bytes>& bodies) {
    const SegmentInfo info{
        feed_, Sequence(head_.sequence.value + 1), static_cast<std::uint32_t>(bodies.size()), next_, head_.hash, false};
    SegmentWriter writer(feed_, head_, next_);
    for (const Bytes& body : bodies) {
      Stamp stamp;
      stamp.sequence = Sequence(head_.sequence.value + 1);
      stamp.ordinal = Ordinal(stamp.sequence.value);
      stamp.publisher = *AgentId::parse("330800.police.a");
      head_ = writer.append(stamp, Salt{}, body);
    }
    next_ = Offset(next_.value + bodies.size());
    return {info, head_, std::move(writer).finish(), std::nullopt};
  }
  [[nodiscard]] Offset head() const { return next_; }

 private:
  FeedId feed_{kQuzhou, Epoch(1), Lane::normal, Audience::conference()};
  FeedHead head_;
  Offset next_{1};
};

// Arguments: followers, events of a commit, 1: a filter that looks at every event and admits half of them; 2: an area of 1,024
// points each.
void deliver(benchmark::State& state) {
  const auto followers = static_cast<std::size_t>(state.range(0));
  const auto events = static_cast<std::size_t>(state.range(1));
  DeliveryDesk desk = desk_with(std::make_unique<NoReads>());
  std::vector<std::shared_ptr<const core::FollowSpec>> specs;
  for (std::size_t i = 0; i < followers; ++i) {
    auto spec = spec_of(i);
    if (state.range(2) == 1) spec->filter.agencies = {"police"};
    if (state.range(2) == 2) spec->filter.area = ring_of(i);
    specs.push_back(std::move(spec));
  }
  Commits commits;
  std::vector<Bytes> bodies;
  for (std::size_t i = 0; i < events; ++i) bodies.push_back(state_event(i));
  Frames outlet;
  for (auto _ : state) {
    state.PauseTiming();
    const Offset from = commits.head();
    StoredSegment stored = commits.next(bodies);
    std::vector<core::DeliverOrder> orders;
    for (std::size_t i = 0; i < followers; ++i) orders.push_back(order_of(i, specs[i], from, commits.head()));
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
    ->Args({16, 2'000, 1})
    ->Args({16, 100, 2});

// A journal on disk of events that were committed one by one.
class Journal {
 public:
  explicit Journal(std::size_t events) {
    std::string pattern = (std::filesystem::temp_directory_path() / "lianxi-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    options_.folder = pattern;
    auto journal = store::open_journal(options_, {kQuzhou, Epoch(1), Incarnation(1)});
    if (!journal) std::abort();
    constexpr std::size_t kSegmentsOfACommit = 1'000;  // the bench need not wait for each event's fsync
    for (std::size_t made = 0; made < events;) {
      JournalBatch batch;
      batch.first_offset = commits_.head();
      for (; batch.segments.size() < kSegmentsOfACommit && made < events; ++made)
        batch.segments.push_back(commits_.next({state_event(made)}));
      if (!(*journal)->commit(batch)) std::abort();
    }
  }
  ~Journal() {
    std::error_code ignored;
    std::filesystem::remove_all(options_.folder, ignored);
  }
  [[nodiscard]] std::unique_ptr<ColdReads> reads() const {
    auto reader = store::open_reader(options_);
    if (!reader) std::abort();
    return std::make_unique<InlineColdReads>(std::move(*reader));
  }
  [[nodiscard]] Offset head() const { return commits_.head(); }

 private:
  store::JournalOptions options_;
  Commits commits_;
};

// Arguments: events, each a commit of its own; 1: an area of 1,024 points. A follower catches up with all of them from the disk.
void replay(benchmark::State& state) {
  const Journal journal(static_cast<std::size_t>(state.range(0)));
  const auto spec = spec_of(0);
  if (state.range(1) != 0) spec->filter.area = ring_of(0);
  Frames outlet;
  for (auto _ : state) {
    DeliveryDesk desk = desk_with(journal.reads());
    for (Offset at(1); at < journal.head();) {
      desk.take({order_of(0, spec, at, journal.head())}, outlet, [] { return FeedVector{}; });
      std::size_t steps = 1'000'000;
      std::size_t unbroken = steps;
      desk.say_others(outlet, steps, unbroken);
      const auto done = desk.take_done();
      if (done.empty() || done[0].report.next <= at) std::abort();
      at = done[0].report.next;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(replay)->ArgNames({"events", "area"})->Args({40'000, 0})->Args({40'000, 1})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lianxi::app

BENCHMARK_MAIN();
