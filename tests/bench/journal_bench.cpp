// lianxi-journal-bench: the journal alone. `commit`: what a turn's transaction costs, in time and CPU. `fill`: a
// journal of as many events as asked for, written through the store, and its view. `replay`: reading it back from disk.
// `archive`: what packing its files costs and gives, and reading them then. `seek`: where a vector stands in it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <iostream>
#include <thread>

#include "broker/store/files.h"
#include "broker/store/journal_keep.h"
#include "tests/bench/payloads.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}
double thread_cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}
[[noreturn]] void die(const StoreFailure& why) {
  std::cerr << why.detail << std::endl;
  std::exit(1);
}

// Batches as the broker makes them: events of some sessions, a row and a run of answers for each, what was answered a window
// ago named as held.
class Turns {
 public:
  Turns(std::size_t events, std::size_t sessions, std::vector<Bytes> bodies) : events_(events), bodies_(std::move(bodies)) {
    for (std::size_t i = 0; i < sessions; ++i) sessions_.push_back({agent("330800.police.p" + std::to_string(i)), 0});
  }

  [[nodiscard]] Offset next() const { return next_; }

  JournalBatch batch() {
    JournalBatch batch;
    batch.first_offset = next_;
    std::vector<Bytes> bodies;
    for (std::size_t i = 0; i < events_; ++i) bodies.push_back(bodies_[taken_++ % bodies_.size()]);
    const std::size_t touched = std::min(events_, sessions_.size());
    const std::size_t each = events_ / touched;
    const FeedId feed = feed_of(kQuzhou);
    batch.segments.push_back(regions_.segment(feed, bodies, next_));
    for (std::size_t i = 0; i < touched; ++i) answer(batch, sessions_[turn_++ % sessions_.size()], each, i);
    next_ = Offset(next_.value + events_);
    return batch;
  }

 private:
  struct Session {
    AgentId agent;
    std::uint64_t high = 0;
  };

  void answer(JournalBatch& batch, Session& session, std::size_t count, std::size_t index) {
    constexpr std::uint64_t kWindow = 256;
    const std::uint64_t first = session.high + 1;
    session.high += count;
    const SessionKey key{session.agent, SessionId(0x1122334455667788)};
    batch.sessions.push_back({key, Lane::normal, Sequence(session.high),
                              Sequence(session.high > kWindow ? session.high - kWindow : 0), 1'700'000'000'000});
    AnswerRun run{key, Lane::normal, Sequence(first), {}};
    for (std::size_t i = 0; i < count; ++i) {
      StoredAnswer one;
      one.accepted = true;
      one.feed = feed_of(kQuzhou);
      one.offset = Offset(next_.value + index * count + i);
      one.feed_sequence = Sequence(one.offset.value);
      one.ordinal = Ordinal(one.offset.value);
      run.answers.push_back(one);
    }
    batch.answers.push_back(std::move(run));
  }

  std::size_t events_, taken_ = 0, turn_ = 0;
  std::vector<Bytes> bodies_;
  std::vector<Session> sessions_;
  Regions regions_;
  Offset next_{1};
};

// The journal's maintenance, in a thread of its own as in the broker.
class Maintainer {
 public:
  explicit Maintainer(Journal& journal) : journal_(journal), thread_([this] { run(); }) {}
  ~Maintainer() {
    stop_ = true;
    wake();
    thread_.join();
  }
  Maintainer(const Maintainer&) = delete;
  Maintainer& operator=(const Maintainer&) = delete;
  void wake() {
    work_ = true;
    work_.notify_one();
  }

 private:
  void run() {
    while (!stop_) {
      work_.wait(false);
      work_ = false;
      if (const auto done = journal_.maintain(); !done) die(done.error());
    }
  }
  Journal& journal_;
  std::atomic<bool> stop_{false}, work_{false};
  std::thread thread_;
};

struct CommitOptions {
  std::string folder;
  std::size_t events = 1, sessions = 8, body_bytes = 256, commits = 5000;
  double per_second = 0;
  std::uint64_t file_mb = 64;
};

double at(std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * share))];
}

void commits(const CommitOptions& ask) {
  const TempFolder temporary;
  JournalBench bench(ask.folder.empty() ? temporary.path() : ask.folder, ask.file_mb * 1024 * 1024);
  std::vector<Bytes> bodies;
  for (std::uint64_t i = 0; i < 64; ++i) bodies.push_back(body_of(ask.body_bytes, i));
  Turns turns(ask.events, ask.sessions, std::move(bodies));
  std::vector<double> took;
  double cpu = 0, wall = 0;
  {
    Maintainer maintainer(*bench.journal);
    auto next = Clock::now();
    for (std::size_t i = 0; i < ask.commits; ++i) {
      const JournalBatch batch = turns.batch();
      if (ask.per_second > 0) {
        next += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / ask.per_second));
        std::this_thread::sleep_until(next);
      }
      const double cpu_before = thread_cpu_us();
      const auto begin = Clock::now();
      if (const auto done = bench.journal->commit(batch); !done) die(done.error());
      took.push_back(seconds_since(begin) * 1e6);
      wall += took.back();
      cpu += thread_cpu_us() - cpu_before;
      maintainer.wake();
    }
  }
  std::sort(took.begin(), took.end());
  const auto count = static_cast<double>(ask.commits);
  std::printf("%5zu events: %8.0f events/s, p50 %.0f us, p90 %.0f, p99 %.0f, p99.9 %.0f, max %.0f; CPU %.1f us a commit\n",
              ask.events, count * static_cast<double>(ask.events) / wall * 1e6, at(took, 0.5), at(took, 0.9), at(took, 0.99),
              at(took, 0.999), took.back(), cpu / count);
}

// A change of state of one of a thousand resources, as in a long operation.
Bytes state_change(std::uint64_t number, std::size_t padding) {
  Resource body;
  body.change = ResourceChange::state;
  body.state = number % 2 == 0 ? ResourceState::deployed : ResourceState::available;
  body.address = std::string(padding, 'x');
  Event event;
  event.envelope = {Kind::resource,
                    resource_entity(kQuzhou, "bench-" + std::to_string(number % 1'000)),
                    Status::Actual,
                    PlaceCode::parse("330803").value(),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    1'604'894'400'000};
  event.body = std::move(body);
  return encode_event(event);
}

struct FillOptions {
  std::string folder, view;
  std::uint64_t events = 10'000'000;
  std::size_t batch = 512, body_bytes = 256;
  bool reports = false;  // incident reports instead
};

std::vector<Bytes> bodies_for(const FillOptions& ask) {
  constexpr std::uint64_t kBodies = 2'000;
  std::vector<Bytes> bodies;
  lianxi::bench::Payloads reports(lianxi::bench::PayloadKind::incident, 0, 0);
  std::size_t padding = 0;
  while (state_change(0, padding).size() < ask.body_bytes) ++padding;
  for (std::uint64_t i = 0; i < kBodies; ++i)
    bodies.push_back(ask.reports ? encode_event(reports.event(i)) : state_change(i, padding));
  return bodies;
}

void fill(const FillOptions& ask) {
  JournalBench bench(ask.folder);
  Turns turns(ask.batch, 8, bodies_for(ask));
  std::unique_ptr<View> view;
  if (!ask.view.empty()) {
    auto opened = open_view({ask.view, ""}, bench.journal->identity());
    if (!opened) die(opened.error());
    view = std::move(*opened);
  }
  Maintainer maintainer(*bench.journal);
  const auto begin = Clock::now();
  while (turns.next().value <= ask.events) {
    JournalBatch batch = turns.batch();
    if (const auto done = bench.journal->commit(batch); !done) die(done.error());
    maintainer.wake();
    if (view) {
      std::vector<JournalSegment> segments;
      for (StoredSegment& made : batch.segments) segments.push_back({made.info.first_offset, std::move(made.bytes), made.seal});
      if (const auto done = view->apply(segments); !done) die(done.error());
    }
    if (turns.next().value / ask.batch % 1'000 == 0)
      std::cerr << turns.next().value << " events, " << seconds_since(begin) << " s" << std::endl;
  }
}

struct ReplayOptions {
  std::string folder;
  std::size_t read_bytes = 1024 * 1024;
};

void replay(const ReplayOptions& ask) {
  JournalOptions options;
  options.folder = ask.folder;
  const auto reader = open_reader(options);
  if (!reader) die(reader.error());
  std::uint64_t events = 0, bytes = 0;
  Offset from{1};
  const auto begin = Clock::now();
  const double cpu = thread_cpu_us();
  while (true) {
    const auto some = (*reader)->read(from, ask.read_bytes);
    if (!some) die(some.error());
    if (some->empty()) break;
    for (const JournalSegment& segment : *some) {
      const auto parsed = Segment::parse(segment.bytes);
      if (!parsed) die({StoreError::corrupt, parsed.error().reason});
      events += parsed->records().size();
      bytes += segment.bytes.size();
      from = Offset(segment.first_offset.value + parsed->info().count);
    }
  }
  const double seconds = seconds_since(begin);
  std::printf("%llu events, %llu MB in %.2f s: %.0f events/s; by CPU %.0f events/s\n", static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(bytes >> 20U), seconds, static_cast<double>(events) / seconds,
              static_cast<double>(events) / (thread_cpu_us() - cpu) * 1e6);
}

// Packs every file that nothing writes; the newest two stay.
void archive(const std::string& folder) {
  std::vector<std::uint64_t> numbers = list_journal(folder);
  numbers.resize(numbers.size() - std::min<std::size_t>(numbers.size(), 2));
  std::uint64_t plain = 0, packed = 0;
  const double cpu = thread_cpu_us();
  for (const std::uint64_t number : numbers) {
    if (!file_exists(journal_path(folder, number), "")) continue;
    const auto done = archive_file(folder, number, key_of());
    if (!done) die(done.error());
    plain += done->plain_bytes;
    packed += done->packed_bytes;
  }
  const double seconds = (thread_cpu_us() - cpu) / 1e6;
  std::printf("%.1f MB in %.1f MB, ratio %.2f, %.1f MB/s of CPU\n", static_cast<double>(plain) / 1e6,
              static_cast<double>(packed) / 1e6, static_cast<double>(plain) / static_cast<double>(packed),
              static_cast<double>(plain) / 1e6 / seconds);
}

// Where a follower that holds this much of the journal goes on, for places all over it.
void seek(const std::string& folder, std::size_t times) {
  JournalOptions options;
  options.folder = folder;
  const auto reader = open_reader(options);
  if (!reader) die(reader.error());
  std::map<FeedId, std::uint64_t> heads;
  for (Offset from{1};;) {
    const auto some = (*reader)->read(from, 1024 * 1024);
    if (!some) die(some.error());
    if (some->empty()) break;
    for (const JournalSegment& segment : *some) {
      const auto parsed = Segment::parse(segment.bytes);
      if (!parsed) die({StoreError::corrupt, parsed.error().reason});
      heads[parsed->info().feed] = parsed->last().sequence.value;
      from = Offset(segment.first_offset.value + parsed->info().count);
    }
  }
  const double cpu = thread_cpu_us();
  std::uint64_t random = 1;
  for (std::size_t i = 0; i < times; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    FeedVector have;
    for (const auto& [feed, head] : heads)
      have.push_back(
          {feed,
           {Sequence(static_cast<std::uint64_t>(static_cast<double>(head) * static_cast<double>(random >> 32U) / 4294967296.0)),
            {}}});
    if (const auto found = (*reader)->first_beyond(have); !found) die(found.error());
  }
  std::printf("%zu places: %.0f us of CPU each\n", times, (thread_cpu_us() - cpu) / static_cast<double>(times));
}

void compare(std::string journal, FillOptions reports, std::size_t places) {
  const TempFolder own;
  if (journal.empty()) {
    reports.folder = journal = own.path("journal");
    fill(reports);
  }
  for (const bool packed : {false, true}) {
    if (packed) archive(journal);
    std::printf(packed ? "packed:\n" : "plain:\n");
    replay({.folder = journal});
    seek(journal, places);
  }
}

}  // namespace
}  // namespace lianxi::store::test

int main(int argc, char** argv) {
  using namespace lianxi::store::test;
  CLI::App app("Benchmarks of the journal alone", "lianxi-journal-bench");
  app.require_subcommand(1);
  CommitOptions commit;
  auto* commits_of = app.add_subcommand("commit", "what a turn's transaction costs");
  commits_of->add_option("--folder", commit.folder, "where; a temporary folder if not given");
  commits_of->add_option("--events", commit.events, "in a batch")->check(CLI::PositiveNumber)->capture_default_str();
  commits_of->add_option("--sessions", commit.sessions, "that publish in turn")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  commits_of->add_option("--body", commit.body_bytes, "bytes of an event")->capture_default_str();
  commits_of->add_option("--commits", commit.commits, "how many")->check(CLI::PositiveNumber)->capture_default_str();
  commits_of->add_option("--rate", commit.per_second, "commits a second; 0: back to back")->capture_default_str();
  commits_of->add_option("--file-mb", commit.file_mb, "size of a file")->check(CLI::PositiveNumber)->capture_default_str();
  FillOptions filled;
  auto* fill_of = app.add_subcommand("fill", "a journal of as many events as asked for");
  fill_of->add_option("--journal", filled.folder, "its folder")->required();
  fill_of->add_option("--view", filled.view, "view.db, brought to the head; none if not given");
  fill_of->add_option("--events", filled.events, "how many")->capture_default_str();
  fill_of->add_option("--batch", filled.batch, "events of a batch")->check(CLI::PositiveNumber)->capture_default_str();
  fill_of->add_option("--body", filled.body_bytes, "bytes of an event")->capture_default_str();
  ReplayOptions read;
  auto* replay_of = app.add_subcommand("replay", "reads a whole journal, checksums included");
  replay_of->add_option("--journal", read.folder, "its folder")->required();
  replay_of->add_option("--read", read.read_bytes, "bytes asked for at a time")->capture_default_str();
  std::string packed, searched;
  std::size_t places = 200;
  FillOptions reports{.events = 500'000, .batch = 64, .reports = true};
  auto* archive_of = app.add_subcommand("archive", "packs a journal's files; replay, and seek, before and after");
  archive_of->add_option("--journal", packed, "its folder; without: one of incident reports, for this time");
  archive_of->add_option("--events", reports.events, "of that one")->capture_default_str();
  auto* seek_of = app.add_subcommand("seek", "looks up random vectors");
  seek_of->add_option("--journal", searched, "its folder")->required();
  seek_of->add_option("--places", places, "how many")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (commits_of->parsed()) commits(commit);
  if (fill_of->parsed()) fill(filled);
  if (replay_of->parsed()) replay(read);
  if (archive_of->parsed()) compare(packed, reports, places);
  if (seek_of->parsed()) seek(searched, places);
  return 0;
}
