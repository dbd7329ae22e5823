// What the store's tests share: a folder that goes away, feeds that make sealed batches, and events of each kind.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "broker/store/read_view.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/view.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::store::test {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline constexpr RegionCode kQuzhou{330800};
inline constexpr RegionCode kHuangshan{341000};
inline constexpr RegionCode kNanping{350700};

[[nodiscard]] Audience audience(const std::string& text);
[[nodiscard]] FeedId feed_of(RegionCode region, Lane lane = Lane::normal, const std::string& audience_text = "conference",
                             std::uint32_t epoch = 1);
[[nodiscard]] JournalIdentity identity_of(RegionCode region = kQuzhou);
[[nodiscard]] const SealKeyPair& keys_of(RegionCode region);
[[nodiscard]] KeyOf key_of();
[[nodiscard]] AgentId agent(const std::string& text = "330800.police.dispatch");
[[nodiscard]] Bytes body_of(std::size_t bytes, std::uint64_t seed);

// What a node's home regions decide: heads of feeds and ordinals. Makes segments with seals.
class Regions {
 public:
  // One segment of the feed's next events.
  [[nodiscard]] StoredSegment segment(const FeedId& feed, const std::vector<Bytes>& bodies, Offset first_offset);
  [[nodiscard]] FeedVector heads() const;

 private:
  std::map<FeedId, FeedHead> heads_;
  std::map<std::pair<RegionCode, Epoch>, std::uint64_t> ordinals_;
  std::uint64_t time_ms_ = 1'600'000'000'000;
};

// A journal under test with the regions that fill it.
struct JournalBench {
  explicit JournalBench(const std::string& folder, std::uint64_t file_bytes = 64ULL * 1024 * 1024);
  void open();
  void close() { journal.reset(); }
  // Commits one batch of one segment a feed; fails the test if it cannot.
  void commit(const std::vector<FeedId>& feeds, std::size_t events_each = 3, std::size_t body_bytes = 200);
  [[nodiscard]] std::vector<JournalSegment> read_all(std::size_t max_bytes = 1 << 20) const;
  [[nodiscard]] VerifyReport verify(const FeedVector& against = {}) const;

  JournalOptions options;
  std::unique_ptr<Journal> journal;
  Regions regions;
  Offset next{1};
  std::uint64_t bodies = 0;
};

// Bytes of a file, and the same file with one byte changed.
[[nodiscard]] Bytes read_file(const std::string& path);
void write_file(const std::string& path, const Bytes& bytes);

}  // namespace lianxi::store::test
