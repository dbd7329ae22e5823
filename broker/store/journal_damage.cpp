#include "broker/store/journal_damage.h"

#include <algorithm>
#include <set>

#include "broker/store/archive.h"
#include "broker/store/journal_file.h"
#include "broker/store/journal_rewrite.h"
#include "broker/store/proof_run.h"

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

  // `end`: where the next file begins, if that is known.
  std::vector<FoundDamage> run(const std::optional<Offset>& end) {
    for (const auto& [id, feed] : read_feeds(db_)) {
      std::optional<Hash> previous = feed.opening.hash;
      Sequence before = feed.opening.sequence;
      for (const Sealed& seal : seals_of(db_, feed.row)) {
        if (seal.last <= before) fail(StoreError::corrupt, "the seals of " + to_text(id) + " are not in order");
        previous = segment(id, feed.row, Sequence(before.value + 1), previous, seal);
        counts_[seal.offset] += seal.last.value - before.value;
        before = seal.last;
      }
    }
    check_places(end);
    return std::move(found_);
  }

 private:
  // A seal that has vanished makes one stretch of two, which nothing may be put in the place of: what the seals cover must fill
  // the file, each segment where the one before it ends.
  void check_places(const std::optional<Offset>& end) {
    const auto meta = read_meta(db_);
    if (!meta) fail(StoreError::corrupt, "it has no meta rows");
    Offset next = meta->first_offset;
    for (const auto& [offset, count] : counts_) {
      if (offset != next) fail(StoreError::corrupt, "no seal tells what stands at offset " + std::to_string(next.value));
      next = Offset(offset.value + count);
    }
    if (end && next != *end) fail(StoreError::corrupt, "no seal tells what stands at offset " + std::to_string(next.value));
    std::optional<std::uint64_t> unsealed;
    try {
      SQLite::Statement select(db_, "SELECT offset FROM segment WHERE offset NOT IN (SELECT offset FROM seal) LIMIT 1");
      if (Run run(select); run.next()) unsealed = run.number_u64(0);
    } catch (const SQLite::Exception&) {
      return;  // segments may be hurt
    }
    if (unsealed) fail(StoreError::corrupt, "the segment at offset " + std::to_string(*unsealed) + " has no seal");
  }

  // The chain's hash behind the segment; nothing if that is lost.
  std::optional<Hash> segment(const FeedId& id, std::int64_t row, Sequence first, std::optional<Hash> previous,
                              const Sealed& seal) {
    const SealPublicKey* key = key_of_(id.region);
    const auto signs = [&](const Hash& hash) {
      return key == nullptr || (seal.signature && verify_seal(*key, id, {seal.last, hash, *seal.signature}));
    };
    const std::optional<Bytes> bytes = bytes_of(select_, row, first, seal);
    const std::optional<Segment> parsed = whole(bytes, id, first, seal);
    const auto proven = [&] {  // by its own seal
      const Hash hash = parsed->last().hash;
      return key != nullptr && hash == seal.hash && signs(hash) &&
             verify_chain(*parsed, {Sequence(first.value - 1), parsed->info().previous}).has_value();
    };
    if (parsed && !previous && proven()) {  // what is before it is lost with its seal: it says itself what it follows
      previous = parsed->info().previous;
      if (!found_.empty()) {
        DamagedRange& lost = found_.back().range;
        if (lost.feed == id && lost.last.value + 1 == first.value) lost.hash = previous;
      }
    }
    const bool chained = parsed && previous && verify_chain(*parsed, {Sequence(first.value - 1), *previous}).has_value();
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
  std::map<Offset, std::uint64_t> counts_;  // of events, as the seals tell
};

JournalPlace place_of(const std::string& folder, std::uint64_t number) {
  const auto place = find_journal(folder, number, "");
  if (!place) fail(StoreError::not_found, journal_path(folder, number) + " is not there");
  return *place;
}

// Where the next file begins; nothing if that is not to be known.
std::optional<Offset> end_of(const std::string& folder, std::uint64_t number) {
  const std::vector<std::uint64_t> numbers = list_journal(folder);
  if (!std::binary_search(numbers.begin(), numbers.end(), number + 1)) return std::nullopt;
  try {
    const auto meta = read_meta(*open_for_reading({.folder = folder}, number + 1, number + 1 == numbers.back()));
    return meta ? std::optional(meta->first_offset) : std::nullopt;
  } catch (const Broken&) {
    return std::nullopt;
  } catch (const SQLite::Exception&) {
    return std::nullopt;
  }
}

std::vector<FoundDamage> damage_in(const JournalPlace& place, std::uint64_t number, const KeyOf& key_of,
                                   const std::optional<Offset>& end) {
  const Database db = open_at_rest(place);
  return Search(*db, number, key_of).run(end);
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

Replaced fitting(const std::vector<FoundDamage>& damaged, const std::vector<RepairedRange>& repairs, const KeyOf& key_of) {
  Replaced replaced;
  for (const FoundDamage& damage : damaged) {
    for (const RepairedRange& repair : repairs) {
      if (auto segment = fitting(damage, repair.segment, key_of)) replaced.insert_or_assign(damage.offset, std::move(*segment));
    }
  }
  return replaced;
}

// What is neither here nor given would be gone from the new file.
void check_readable(const JournalPlace& place, const std::vector<FoundDamage>& damaged, const Replaced& replaced) {
  const Database db = open_at_rest(place);
  SQLite::Statement select(*db, "SELECT * FROM segment WHERE offset = ?");
  for (const FoundDamage& damage : damaged) {
    if (replaced.contains(damage.offset)) continue;
    bool readable = false;
    try {
      readable = Run(select).put(damage.offset.value).next();
    } catch (const SQLite::Exception&) {
      readable = false;
    }
    if (!readable)
      fail(StoreError::corrupt, to_text(damage) + " cannot be read and was not given: the file stays as it is until that comes");
  }
}

// The findings of a file without the name that it has.
std::set<std::string> findings_of(const ProofRun::Proof& proof) {
  std::set<std::string> lines;
  for (const std::string& line : proof.findings) lines.insert(line.substr(std::min(line.find(": "), line.size())));
  return lines;
}

// Nothing that was given is damaged still, and nothing is wrong that was not wrong before.
void check_mended(const std::string& folder, std::uint64_t number, const KeyOf& key_of, const JournalPlace& mended,
                  const Replaced& replaced) {
  const std::vector<FoundDamage> left = damage_in(mended, number, key_of, end_of(folder, number));
  const bool healed = std::none_of(left.begin(), left.end(), [&](const FoundDamage& d) { return replaced.contains(d.offset); });
  const std::set<std::string> before = findings_of(ProofRun(folder, key_of).prove(number));
  const std::set<std::string> after = findings_of(ProofRun(folder, key_of).prove(number, mended));
  const auto worse = std::find_if(after.begin(), after.end(), [&](const std::string& line) { return !before.contains(line); });
  if (!healed || worse != after.end())
    fail(StoreError::corrupt, "it does not verify with what other nodes gave" + (worse == after.end() ? "" : *worse));
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
  return guarded("look for damage", [&] { return damage_in(place_of(folder, number), number, key_of, end_of(folder, number)); });
}

StoreResult<std::size_t> repair_file(const std::string& folder, std::uint64_t number, const KeyOf& key_of,
                                     const std::vector<RepairedRange>& repairs) {
  return guarded("repair " + journal_path(folder, number), [&]() -> std::size_t {
    const JournalPlace place = place_of(folder, number);
    const std::vector<FoundDamage> damaged = damage_in(place, number, key_of, end_of(folder, number));
    const Replaced replaced = fitting(damaged, repairs, key_of);
    if (replaced.empty()) return 0;
    check_readable(place, damaged, replaced);
    need_room(place);
    const HalfMade plain(journal_path(folder, number) + ".mended"), packed(archive_path(folder, number) + ".new");
    const JournalPlace mended{plain.path(), false};
    rewrite_file(place, mended.path, replaced);
    check_mended(folder, number, key_of, mended, replaced);
    if (place.archived) {
      write_archive(mended.path, packed.path());
      if (!archive_holds(packed.path(), mended.path)) fail(StoreError::io, packed.path() + " does not unpack to what was packed");
      move_file(packed.path(), place.path);
    } else {
      move_file(mended.path, place.path);
    }
    sync_folder(folder, "");
    return replaced.size();
  });
}

}  // namespace lianxi::store
