// Kills writers in the middle of commits, and readers beside writers.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kPeer = feed_of(kHuangshan);
constexpr std::uint64_t kFileBytes = 150'000;

// Batches are the same in every process: a child goes on from wherever the journal stands.
JournalBatch next_batch(JournalBench& bench) {
  JournalBatch batch;
  batch.first_offset = bench.next;
  for (const FeedId& feed : {kOwn, kPeer}) {
    batch.segments.push_back(
        bench.regions.segment(feed, {body_of(100 + bench.next.value % 2000, bench.next.value), body_of(60, 1)}, bench.next));
    bench.next = Offset(bench.next.value + 2);
  }
  SessionRow session{{agent(), SessionId(9)}, Lane::normal, Sequence(bench.next.value), Sequence(bench.next.value / 2), 1};
  batch.sessions.push_back(session);
  StoredAnswer answer;
  answer.hash[0] = 1;
  answer.refusal = {RefusalCode::invalid_field, "level", "no such level", 0};
  batch.answers.push_back({session.key, Lane::normal, Sequence(bench.next.value - 3), {answer, answer, answer, answer}});
  return batch;
}

void skip_to(JournalBench& bench, Offset offset) {
  while (bench.next < offset) (void)next_batch(bench);
}

// Commits for ever, and tells the offset below which all is acknowledged.
[[noreturn]] void write_until_killed(const std::string& folder, int told) {
  JournalBench bench(folder, kFileBytes);
  skip_to(bench, bench.journal->load()->next_offset);
  std::thread([&] {
    while (bench.journal->maintain()) std::this_thread::yield();
  }).detach();
  while (true) {
    const JournalBatch batch = next_batch(bench);
    if (!bench.journal->commit(batch)) ::_exit(1);
    const std::uint64_t acknowledged = bench.next.value;
    if (::write(told, &acknowledged, sizeof acknowledged) != sizeof acknowledged) ::_exit(2);
  }
}

TEST(JournalCrash, AKilledWriterLosesNothingAcknowledged) {
  const TempFolder folder;
  std::mt19937 random(20);
  std::uint64_t highest = 1;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(folder.path(), ends[1]);
    }
    ::close(ends[1]);
    // Some acknowledgements, then the knife at whatever the child is doing.
    std::uint64_t acknowledged = 0;
    for (auto left = 1 + random() % 30; left > 0; --left) {
      ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged), static_cast<ssize_t>(sizeof acknowledged));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    for (std::uint64_t more = 0; ::read(ends[0], &more, sizeof more) == sizeof more;) acknowledged = more;
    ::close(ends[0]);

    const auto before = verify_journal(folder.path(), key_of(), {}, nullptr);  // as the dead process left it
    ASSERT_TRUE(before) << before.error().detail;
    EXPECT_EQ(before->findings, std::vector<std::string>{}) << "round " << round;
    JournalBench bench(folder.path(), kFileBytes);
    const auto state = bench.journal->load();
    ASSERT_TRUE(state);
    EXPECT_GE(state->next_offset.value, acknowledged);
    EXPECT_EQ((state->next_offset.value - 1) % 4, 0U) << "half a batch";
    skip_to(bench, state->next_offset);
    EXPECT_EQ(state->heads, bench.regions.heads());
    ASSERT_EQ(state->sessions.size(), 1U);
    EXPECT_EQ(state->sessions[0].high_water.value, state->next_offset.value);
    bench.close();
    EXPECT_EQ(bench.verify(bench.regions.heads()).findings, std::vector<std::string>{});
    highest = std::max(highest, acknowledged);
  }
  EXPECT_GT(highest, 500U);
  EXPECT_TRUE(std::filesystem::exists(folder.path("000003.db")));
}

TEST(JournalThreads, ReadersSeeEverythingWhileTheWriterMovesOnAndFilesAreFolded) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 60'000);
  constexpr std::uint64_t kBatches = 150;
  std::atomic<bool> written = false;
  std::atomic<std::uint64_t> committed = 1;

  std::vector<std::thread> readers;
  std::atomic<int> done = 0;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      const auto reader = open_reader(bench.options);
      ASSERT_TRUE(reader) << reader.error().detail;
      Offset from{1};
      while (true) {
        const std::uint64_t known = committed;
        const auto some = (*reader)->read(from, 20'000);
        ASSERT_TRUE(some) << some.error().detail;
        for (const JournalSegment& segment : *some) {
          ASSERT_EQ(segment.first_offset, from);
          ASSERT_TRUE(segment.seal);
          const auto parsed = Segment::parse(segment.bytes);
          ASSERT_TRUE(parsed);
          from = Offset(from.value + parsed->info().count);
        }
        ASSERT_FALSE(some->empty() && from.value < known) << "committed, but not read";
        if (written && from.value == committed) break;
      }
      ++done;
    });
  }
  std::thread maintainer([&] {
    while (!written) {
      const auto maintained = bench.journal->maintain();
      ASSERT_TRUE(maintained) << maintained.error().detail;
      std::this_thread::yield();
    }
  });
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    const JournalBatch batch = next_batch(bench);
    const auto result = bench.journal->commit(batch);
    EXPECT_TRUE(result) << result.error().detail;
    committed = bench.next.value;
  }
  written = true;
  maintainer.join();
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(done, 2);
  ASSERT_TRUE(bench.journal->maintain());
  bench.close();
  EXPECT_EQ(bench.verify(bench.regions.heads()).findings, std::vector<std::string>{});
}

}  // namespace
}  // namespace lianxi::store::test
