// What the view costs an event: stored segments of each kind applied as the view thread does it, read from a journal or not.
// CPU time of this thread is the figure that holds on a busy machine.
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <filesystem>
#include <random>

#include "tests/bench/bench_events.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

constexpr int kEvents = 200'000;
constexpr int kSegmentEvents = 256;  // a busy turn's

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// What an agency's dispatch system says of a case: some 500 bytes.
Event full_report(std::mt19937& random, int number, int incidents) {
  static constexpr const char* kAgencies[] = {"emergency", "police", "fire"};
  std::uniform_real_distribution<double> lon(118.0, 119.2), lat(28.2, 29.5);
  const int about = incidents == 0 ? number : static_cast<int>(random() % static_cast<unsigned>(incidents));
  Event event = report_event({.case_reference = "QZ-2026-" + std::to_string(1'000'000 + about),
                              .agency = kAgencies[static_cast<unsigned>(number) % 3],
                              .incident_class = IncidentClass::accident,
                              .state = static_cast<IncidentState>(random() % 4),
                              .level = static_cast<Level>(random() % 5),
                              .title = "衢江区某化工园区危化品泄漏"});
  auto& report = std::get<IncidentReport>(event.body);
  report.report_type = ReportType::follow_up;
  report.event_code = "11B03";
  report.text = "现场两辆消防车已到达，泄漏点已找到，正在堵漏；下风向 500 米内群众正在疏散，道路已封闭，无人员死亡。";
  report.address = "衢州市衢江区樟潭街道某某路 18 号";
  report.location = LonLat{lon(random), lat(random)};
  report.deaths = 0;
  report.injured = static_cast<std::int32_t>(random() % 5);
  report.trapped = 1;
  report.own_reference = "JJ" + std::to_string(20'261'123'000'000LL + number);
  report.reporter = "值班员 张某";
  return event;
}

Event team_state(std::mt19937& random, int teams) {
  return resource_event({.name = "qz-" + std::to_string(100'000 + static_cast<int>(random() % static_cast<unsigned>(teams))),
                         .change = ResourceChange::state,
                         .state = static_cast<ResourceState>(random() % 4)});
}

template <class Make>
std::vector<JournalSegment> segments_of(Regions& regions, const FeedId& feed, Offset from, int events, Make make) {
  std::vector<JournalSegment> segments;
  for (int number = 0; number < events;) {
    std::vector<Bytes> bodies;
    for (int n = 0; n < kSegmentEvents && number < events; ++n) bodies.push_back(encode_event(make(number++)));
    StoredSegment segment = regions.segment(feed, bodies, from);
    from = Offset(from.value + bodies.size());
    segments.push_back({segment.info.first_offset, std::move(segment.bytes), segment.seal});
  }
  return segments;
}

// Applies in transactions as large as those of a backlog; the view's bytes and the CPU time of the events become counters.
void apply_all(benchmark::State& state, ViewBench& bench, std::vector<JournalSegment> segments, int events) {
  const auto bytes_of = [&] {
    std::uint64_t bytes = std::filesystem::file_size(bench.options.path);
    if (std::filesystem::exists(bench.options.path + "-wal")) bytes += std::filesystem::file_size(bench.options.path + "-wal");
    return bytes;
  };
  const std::uint64_t bytes_before = std::filesystem::file_size(bench.options.path);
  double cpu = 0;
  pthread_setname_np(pthread_self(), "apply");  // for perf report --comm apply
  std::uint64_t wire = 0;
  for (auto _ : state) {
    const double before = cpu_seconds();
    std::size_t open_bytes = 0;
    for (std::size_t i = 0; i < segments.size();) {
      std::vector<JournalSegment> some;
      std::size_t bytes = 0;
      for (; i < segments.size() && bytes < kTakeBytes; ++i) {
        bytes += segments[i].bytes.size();
        some.push_back(std::move(segments[i]));
      }
      wire += bytes;
      open_bytes += bytes;
      if (!bench.view->take(some)) state.SkipWithError("take");
      if (open_bytes < kViewTransactionBytes && i < segments.size()) continue;
      if (!bench.view->commit()) state.SkipWithError("commit");
      open_bytes = 0;
    }
    cpu += cpu_seconds() - before;
  }
  pthread_setname_np(pthread_self(), "store_bench");
  state.counters["events/s"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["cpu_us/event"] = cpu * 1e6 / events;
  state.counters["events/cpu_s"] = events / cpu;
  state.counters["record_bytes"] = static_cast<double>(wire) / events;
  state.counters["file+wal"] = static_cast<double>(bytes_of());
  state.counters["view_bytes/event"] =
      static_cast<double>(std::filesystem::file_size(bench.options.path) - bytes_before) / events;
}

// Incidents among which the reports fall; 0: each report its own.
void BM_ApplyReports(benchmark::State& state) {
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  std::mt19937 random(1);
  const int incidents = static_cast<int>(state.range(0));
  apply_all(state, bench,
            segments_of(bench.regions, feed_of(kQuzhou), bench.view->offset(), kEvents,
                        [&](int number) { return full_report(random, number, incidents); }),
            kEvents);
}
BENCHMARK(BM_ApplyReports)
    ->ArgName("incidents")
    ->Arg(1000)
    ->Arg(50'000)
    ->Arg(0)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_ApplyResources(benchmark::State& state) {
  constexpr int kTeams = 50'000;
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  std::mt19937 random(1);
  apply_all(state, bench,
            segments_of(bench.regions, feed_of(kQuzhou, Lane::bulk), bench.view->offset(), kTeams,
                        [&](int number) { return team(random, number); }),
            kTeams);
}
BENCHMARK(BM_ApplyResources)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ApplyStates(benchmark::State& state) {
  constexpr int kChanges = 100'000;
  const int teams = static_cast<int>(state.range(0));
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  std::mt19937 random(1);
  for (JournalSegment& segment : segments_of(bench.regions, feed_of(kQuzhou, Lane::bulk), bench.view->offset(), teams,
                                             [&](int number) { return team(random, number); })) {
    bench.apply(std::move(segment));
  }
  apply_all(state, bench,
            segments_of(bench.regions, feed_of(kQuzhou), bench.view->offset(), kChanges,
                        [&](int) { return team_state(random, teams); }),
            kChanges);
}
BENCHMARK(BM_ApplyStates)->ArgName("teams")->Arg(1000)->Arg(20'000)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ApplyAlerts(benchmark::State& state) {
  constexpr int kAlerts = 20'000;
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  apply_all(state, bench,
            segments_of(bench.regions, feed_of(kQuzhou, Lane::flash), bench.view->offset(), kAlerts,
                        [&](int number) { return alert_event({.identifier = "a-" + std::to_string(number)}); }),
            kAlerts);
}
BENCHMARK(BM_ApplyAlerts)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace lianxi::store::test
