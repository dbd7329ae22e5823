// What the rules cost an event: publishes of eight agents decoded, judged, stamped, chained and answered in one turn.
#include <benchmark/benchmark.h>

#include "broker/core/broker_core.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kPublishers = 8;

// A change of a resource's state, filled up to `bytes`.
Bytes state_event(std::uint64_t number, std::size_t bytes) {
  Resource body;
  body.change = ResourceChange::state;
  body.state = number % 2 == 0 ? ResourceState::deployed : ResourceState::available;
  Event event;
  event.envelope = {Kind::resource,
                    resource_entity(kQuzhou, "bench-" + std::to_string(1'000 + number % 1'000)),
                    Status::Actual,
                    place("330803"),
                    "police",
                    Level::none,
                    Audience::conference(),
                    kNoon};
  event.body = body;
  Bytes encoded = encode_event(event);
  while (encoded.size() + 8 <= bytes) {
    std::get<Resource>(event.body).address += std::string(std::min<std::size_t>(4, bytes - encoded.size()), 'x');
    encoded = encode_event(event);
  }
  return encoded;
}

class Publishers {
 public:
  Publishers(std::size_t events, const std::function<Bytes(std::uint64_t)>& make) : events_(events) {
    for (std::uint64_t i = 0; i < events; ++i) bodies_.push_back(make(i));
    for (std::size_t p = 0; p < kPublishers; ++p) rig_.hello(police(), p + 1);
  }

  void turn(benchmark::State& state) {
    state.PauseTiming();
    std::vector<Frames> frames;
    for (std::size_t p = 0; p < kPublishers; ++p)
      frames.push_back(encode(Publish{SessionId(p + 1), Lane::normal, Sequence(next_), Sequence(next_ - 1), 0, 0, bodies_}));
    next_ += events_;
    state.ResumeTiming();
    rig_.core.begin(kNoon, entropy_);
    entropy_[0] = static_cast<std::uint8_t>(entropy_[0] + 1);
    std::vector<Input> inputs;  // borrowed until finish()
    for (std::size_t p = 0; p < kPublishers; ++p) {
      auto message = decode(frames[p].header, frames[p].payload, Speaker::client);
      inputs.push_back(rig_.says(police(), std::move(*message), "c" + std::to_string(p)));
    }
    for (const Input& input : inputs) rig_.core.step(input);
    Effects effects = rig_.core.finish();
    if (effects.batch.segments.empty()) state.SkipWithError("nothing accepted");
    for (const Send& send : effects.sends) benchmark::DoNotOptimize(encode(send.message));
    benchmark::DoNotOptimize(effects);
  }

 private:
  std::size_t events_;
  std::vector<Bytes> bodies_;
  std::uint64_t next_ = 1;
  Hash entropy_{};
  CoreRig rig_;
};

void accept_state_changes(benchmark::State& state) {
  Publishers publishers(static_cast<std::size_t>(state.range(0)), [](std::uint64_t i) { return state_event(i, 256); });
  for (auto _ : state) publishers.turn(state);
  state.SetItemsProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(kPublishers));
}
BENCHMARK(accept_state_changes)->Arg(1)->Arg(16)->Arg(128);

void accept_reports(benchmark::State& state) {
  Publishers publishers(static_cast<std::size_t>(state.range(0)),
                        [](std::uint64_t i) { return encode_event(report("火势蔓延，需要泡沫 " + std::to_string(i))); });
  for (auto _ : state) publishers.turn(state);
  state.SetItemsProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(kPublishers));
}
BENCHMARK(accept_reports)->Arg(128);

}  // namespace
}  // namespace lianxi::core

BENCHMARK_MAIN();
