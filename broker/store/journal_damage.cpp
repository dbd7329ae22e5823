#include "broker/store/journal_damage.h"

#include <algorithm>
#include <filesystem>

#include "broker/store/archive.h"
#include "broker/store/journal_file.h"
#include "broker/store/journal_rewrite.h"

namespace lianxi::store {

namespace {

// A row of `seal`, and the segment that it closes.
struct Sealed {
  Sequence last;
  Offset offset;
  Hash hash{};
  std::optional<Signature> signature;
};

std::vector<Sealed> seals_of(SQLite::Database& db, std::int64_t feed) {
  std::vector<Sealed> seals;
  SQLite::Statement select(db, "SELECT sequence, offset, hash, signature FROM seal WHERE feed = ? ORDER BY sequence");
  Run run(select);
  run.put(feed);
  while (run.next()) {
    Sealed& seal = seals.emplace_back(Sealed{Sequence(run.number_u64(0)), Offset(run.number_u64(1)), {}, std::nullopt});
    const BytesView hash = run.blob(2), signature = run.blob(3);
    if (hash.size() == seal.hash.size()) std::copy(hash.begin(), hash.end(), seal.hash.begin());
    if (signature.size() == std::tuple_size_v<Signature>)
      std::copy(signature.begin(), signature.end(), seal.signature.emplace().begin());
  }
  return seals;
}

// The stored bytes; nothing if the row cannot be read or is not what the seal says.
std::optional<Bytes> bytes_of(SQLite::Statement& select, std::int64_t feed, Sequence first, const Sealed& seal) {
  try {
    Run run(select);
    if (!run.put(seal.offset.value).next()) return std::nullopt;
    const bool agrees =
        run.number(0) == feed && run.number_u64(1) == first.value && run.number_u64(2) == seal.last.value - first.value + 1;
    const BytesView bytes = run.blob(3);
    if (!agrees) return std::nullopt;
    return Bytes(bytes.begin(), bytes.end());
  } catch (const SQLite::Exception&) {
    return std::nullopt;
  }
}

// The segment if every byte of it is under its checksums and it is the one that is meant.
std::optional<Segment> whole(const std::optional<Bytes>& bytes, const FeedId& feed, Sequence first, const Sealed& seal) {
  if (!bytes) return std::nullopt;
  auto parsed = Segment::parse(*bytes);
  if (!parsed) return std::nullopt;
  const SegmentInfo& info = parsed->info();
  const bool same = info.feed == feed && info.first_sequence == first && info.first_offset == seal.offset && !info.filtered &&
                    parsed->last().sequence == seal.last && parsed->size_bytes() == bytes->size();
  const bool redacted =
      std::any_of(parsed->records().begin(), parsed->records().end(), [](const RecordView& record) { return record.redacted; });
  if (!same || redacted) return std::nullopt;
  return std::move(*parsed);
}

class Search {
 public:
  Search(SQLite::Database& db, std::uint64_t file, const KeyOf& key_of)
      : db_(db),
        file_(file),
        key_of_(key_of),
        select_(db, "SELECT feed, first_sequence, count, bytes FROM segment WHERE offset = ?") {}

  std::vector<FoundDamage> run() {
    for (const auto& [id, feed] : read_feeds(db_)) {
      std::optional<Hash> previous = feed.opening.hash;
      Sequence before = feed.opening.sequence;
      for (const Sealed& seal : seals_of(db_, feed.row)) {
        if (seal.last <= before) fail(StoreError::corrupt, "the seals of " + to_text(id) + " are not in order");
        previous = segment(id, feed.row, Sequence(before.value + 1), previous, seal);
        before = seal.last;
      }
    }
    return std::move(found_);
  }

 private:
  // The chain's hash behind the segment; nothing if that is lost.
  std::optional<Hash> segment(const FeedId& id, std::int64_t row, Sequence first, std::optional<Hash> previous,
                              const Sealed& seal) {
    const SealPublicKey* key = key_of_(id.region);
    const auto signs = [&](const Hash& hash) {
      return key == nullptr || (seal.signature && verify_seal(*key, id, {seal.last, hash, *seal.signature}));
    };
    const std::optional<Bytes> bytes = bytes_of(select_, row, first, seal);
    const std::optional<Segment> parsed = whole(bytes, id, first, seal);
    if (parsed && !previous) {  // what is before it is lost with its seal: it says itself what it follows
      previous = parsed->info().previous;
      if (!found_.empty() && found_.back().range.feed == id) found_.back().range.hash = previous;
    }
    const bool chained = parsed && verify_chain(*parsed, {Sequence(first.value - 1), *previous}).has_value();
    if (chained) {
      const Hash hash = parsed->last().hash;
      if (hash == seal.hash && signs(hash)) return hash;
      add(seal, {id, first, seal.last, *previous, hash, true});
      return hash;
    }
    const bool sealed = signs(seal.hash);
    const std::optional<Hash> hash = sealed ? std::optional(seal.hash) : std::nullopt;
    if (previous) add(seal, {id, first, seal.last, *previous, hash, !sealed});
    return hash;
  }

  void add(const Sealed& seal, DamagedRange range) { found_.push_back({file_, seal.offset, std::move(range)}); }

  SQLite::Database& db_;
  std::uint64_t file_;
  const KeyOf& key_of_;
  SQLite::Statement select_;
  std::vector<FoundDamage> found_;
};

JournalPlace place_of(const std::string& folder, std::uint64_t number) {
  const auto place = find_journal(folder, number, "");
  if (!place) fail(StoreError::not_found, journal_path(folder, number) + " is not there");
  return *place;
}

std::vector<FoundDamage> damage_in(const JournalPlace& place, std::uint64_t number, const KeyOf& key_of) {
  const Database db = open_at_rest(place);
  return Search(*db, number, key_of).run();
}

// The stretch as it belongs into the file: at its offset, with a seal that verifies.
std::optional<StoredSegment> fitting(const FoundDamage& damage, const StoredSegment& given, const KeyOf& key_of) {
  const DamagedRange& range = damage.range;
  const auto parsed = Segment::parse(given.bytes);
  if (!parsed || parsed->info().feed != range.feed || parsed->info().first_sequence != range.first) return std::nullopt;
  if (!verify_chain(*parsed, {Sequence(range.first.value - 1), range.previous})) return std::nullopt;
  const FeedHead last = parsed->last();
  if (last.sequence != range.last || (range.hash && last.hash != *range.hash)) return std::nullopt;
  const SealPublicKey* key = key_of(range.feed.region);
  const bool sealed = given.seal && given.seal->sequence == last.sequence && given.seal->hash == last.hash && key != nullptr &&
                      verify_seal(*key, range.feed, *given.seal);
  if (range.seal_lost && !sealed) return std::nullopt;
  StoredSegment segment{parsed->info(), last, as_stored(*parsed, damage.offset), std::nullopt};
  segment.info.first_offset = damage.offset;
  if (sealed) segment.seal = given.seal;
  return segment;
}

}  // namespace

std::string to_text(const FoundDamage& damage) {
  std::string name = journal_path("", damage.file);
  const DamagedRange& range = damage.range;
  return name.substr(1) + ": offsets " + std::to_string(damage.offset.value) + " to " +
         std::to_string(damage.offset.value + (range.last.value - range.first.value)) + ", " + lianxi::to_text(range.feed) +
         " sequences " + std::to_string(range.first.value) + " to " + std::to_string(range.last.value);
}

StoreResult<std::vector<FoundDamage>> find_damage(const std::string& folder, std::uint64_t number, const KeyOf& key_of) {
  return guarded("look for damage", [&] { return damage_in(place_of(folder, number), number, key_of); });
}

StoreResult<std::size_t> repair_file(const std::string& folder, std::uint64_t number, const KeyOf& key_of,
                                     const std::vector<RepairedRange>& repairs) {
  return guarded("repair " + journal_path(folder, number), [&]() -> std::size_t {
    const JournalPlace place = place_of(folder, number);
    const std::vector<FoundDamage> damaged = damage_in(place, number, key_of);
    Replaced replaced;
    for (const FoundDamage& damage : damaged) {
      for (const RepairedRange& repair : repairs) {
        if (auto segment = fitting(damage, repair.segment, key_of)) replaced.insert_or_assign(damage.offset, std::move(*segment));
      }
    }
    if (replaced.empty()) return 0;
    const JournalPlace mended{journal_path(folder, number) + ".mended", false};
    rewrite_file(place, mended.path, replaced);
    if (damage_in(mended, number, key_of).size() + replaced.size() != damaged.size())
      fail(StoreError::corrupt, "it does not verify with what other nodes gave");
    if (place.archived) {
      const std::string packed = archive_path(folder, number) + ".new";
      write_archive(mended.path, packed);
      if (!archive_holds(packed, mended.path)) fail(StoreError::io, packed + " does not unpack to what was packed");
      move_file(packed, place.path);
      remove_database(mended.path, "");
    } else {
      move_file(mended.path, place.path);
    }
    sync_folder(folder, "");
    return replaced.size();
  });
}

}  // namespace lianxi::store
