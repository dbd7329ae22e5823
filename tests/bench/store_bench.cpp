// What the store costs: commits of small and large batches, view apply, nearest questions over a full map.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <map>
#include <random>

#include "schemas/codec/event_codec.h"
#include "tests/bench/bench_events.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

void BM_Commit(benchmark::State& state) {
  const auto events = static_cast<std::size_t>(state.range(0));
  const TempFolder folder;
  JournalBench bench(folder.path());
  const Bytes body = body_of(350, 1);
  const std::vector<Bytes> bodies(events, body);
  for (auto _ : state) {
    state.PauseTiming();
    JournalBatch batch;
    batch.first_offset = bench.next;
    batch.segments.push_back(bench.regions.segment(feed_of(kQuzhou), bodies, bench.next));
    bench.next = Offset(bench.next.value + events);
    batch.sessions.push_back(
        {{agent(), SessionId(9)}, Lane::normal, Sequence(bench.next.value), Sequence(bench.next.value - events), 1});
    StoredAnswer answer;
    answer.accepted = true;
    answer.feed = feed_of(kQuzhou);
    batch.answers.push_back(
        {{agent(), SessionId(9)}, Lane::normal, Sequence(bench.next.value - events), std::vector<StoredAnswer>(events, answer)});
    state.ResumeTiming();
    if (!bench.journal->commit(batch)) state.SkipWithError("commit");
    state.PauseTiming();
    if (bench.next.value % 4096 < events && !bench.journal->maintain()) state.SkipWithError("maintain");
    state.ResumeTiming();
  }
  state.counters["events/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(events), benchmark::Counter::kIsRate);
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) bytes += entry.file_size();
  state.counters["disk_bytes/event"] = static_cast<double>(bytes) / static_cast<double>(bench.next.value);
}
BENCHMARK(BM_Commit)->Arg(1)->Arg(16)->Arg(128)->Unit(benchmark::kMicrosecond)->UseRealTime();

// A view with that many resources; made once.
ViewBench& map_of(int resources) {
  static const TempFolder folder;
  static std::map<int, std::unique_ptr<ViewBench>> maps;
  auto& bench = maps[resources];
  if (bench) return *bench;
  bench = std::make_unique<ViewBench>(folder.path(std::to_string(resources) + ".db"));
  std::mt19937 random(1);
  for (int i = 0; i < resources;) {
    std::vector<Bytes> bodies;
    for (int n = 0; n < 500 && i < resources; ++n, ++i) bodies.push_back(encode_event(team(random, i)));
    const Offset at = bench->view->offset();
    StoredSegment segment = bench->regions.segment(feed_of(kQuzhou, Lane::bulk), bodies, at);
    bench->apply({at, std::move(segment.bytes), segment.seal});
  }
  return *bench;
}

void BM_Nearest(benchmark::State& state) {
  ViewBench& bench = map_of(100'000);
  std::mt19937 random(2);
  std::uniform_real_distribution<double> lon(117, 120), lat(27, 30);
  AskResources ask;
  ask.limit = 10;
  if (state.range(0) >= 1) ask.types = {ResourceType::team};
  if (state.range(0) >= 2) ask.capability = "hazmat";
  for (auto _ : state) {
    ask.near = LonLat{lon(random), lat(random)};
    const auto rows = bench.read().resources(ask, admit_all);
    if (!rows || rows->rows.size() != 10) state.SkipWithError("rows");
  }
  state.counters["questions/s"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Nearest)->ArgName("filters")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace lianxi::store::test

BENCHMARK_MAIN();
