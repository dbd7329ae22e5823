#include "tests/unit/store/store_kit.h"

#include <stdlib.h>

#include <fstream>
#include <random>

namespace lianxi::store::test {

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "lianxi-store-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}
TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Audience audience(const std::string& text) {
  return Audience::parse(text).value();
}
FeedId feed_of(RegionCode region, Lane lane, const std::string& audience_text, std::uint32_t epoch) {
  return {region, Epoch(epoch), lane, audience(audience_text)};
}
JournalIdentity identity_of(RegionCode region) {
  return {region, Epoch(1), Incarnation(0xfedcba9876543210)};
}

const SealKeyPair& keys_of(RegionCode region) {
  static const std::map<RegionCode, SealKeyPair> keys = [] {
    std::map<RegionCode, SealKeyPair> made;
    for (const RegionCode code : {kQuzhou, kHuangshan, kNanping}) {
      Hash seed{};
      seed[0] = static_cast<std::uint8_t>(code.value);
      made[code] = seal_keys_from_seed(seed);
    }
    return made;
  }();
  return keys.at(region);
}
KeyOf key_of() {
  return [](RegionCode region) { return &keys_of(region).public_key; };
}
AgentId agent(const std::string& text) {
  return AgentId::parse(text).value();
}

Bytes body_of(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes body(bytes);
  for (auto& byte : body) byte = static_cast<std::uint8_t>(random());
  return body;
}

StoredSegment Regions::segment(const FeedId& feed, const std::vector<Bytes>& bodies, Offset first_offset) {
  FeedHead& head = heads_[feed];
  StoredSegment made;
  made.info = {feed, Sequence(head.sequence.value + 1), static_cast<std::uint32_t>(bodies.size()), first_offset, head.hash,
               false};
  SegmentWriter writer(feed, head, first_offset);
  for (const Bytes& body : bodies) {
    Stamp stamp;
    stamp.sequence = Sequence(head.sequence.value + 1);
    stamp.ordinal = Ordinal(++ordinals_[{feed.region, feed.epoch}]);
    stamp.time = Hlc(++time_ms_ << 16U);
    stamp.publisher = agent();
    stamp.session = SessionId(7);
    stamp.session_sequence = stamp.sequence;
    head = writer.append(stamp, Salt{1, 2, 3}, body);
  }
  made.last = head;
  made.bytes = std::move(writer).finish();
  made.seal = sign_seal(keys_of(feed.region).secret_key, feed, head);
  return made;
}

FeedVector Regions::heads() const {
  FeedVector vector;
  for (const auto& [feed, head] : heads_) vector.push_back({feed, head});
  return vector;
}

JournalBench::JournalBench(const std::string& folder, std::uint64_t file_bytes) {
  options.folder = folder;
  options.file_bytes = file_bytes;
  open();
}

void JournalBench::open() {
  auto opened = open_journal(options, identity_of());
  ASSERT_TRUE(opened) << opened.error().detail;
  journal = std::move(*opened);
}

void JournalBench::commit(const std::vector<FeedId>& feeds, std::size_t events_each, std::size_t body_bytes) {
  JournalBatch batch;
  batch.first_offset = next;
  for (const FeedId& feed : feeds) {
    std::vector<Bytes> events;
    for (std::size_t i = 0; i < events_each; ++i) events.push_back(body_of(body_bytes, ++bodies));
    batch.segments.push_back(regions.segment(feed, events, next));
    next = Offset(next.value + events_each);
  }
  const auto done = journal->commit(batch);
  ASSERT_TRUE(done) << done.error().detail;
}

std::vector<JournalSegment> JournalBench::read_all(std::size_t max_bytes) const {
  std::vector<JournalSegment> all;
  auto reader = open_reader(options);
  EXPECT_TRUE(reader) << reader.error().detail;
  for (Offset from{1};;) {
    auto some = (*reader)->read(from, max_bytes);
    EXPECT_TRUE(some) << some.error().detail;
    if (!some || some->empty()) return all;
    for (auto& segment : *some) {
      from = Offset(segment.first_offset.value + Segment::parse(segment.bytes).value().info().count);
      all.push_back(std::move(segment));
    }
  }
}

VerifyReport JournalBench::verify(const FeedVector& against) const {
  auto report = verify_journal(options.folder, key_of(), against, nullptr);
  EXPECT_TRUE(report) << report.error().detail;
  return report ? *report : VerifyReport{};
}

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace lianxi::store::test
