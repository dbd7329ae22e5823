// The offline proof of a journal: its segments, records and seals.
#include <algorithm>

#include "broker/store/verifier.h"

namespace lianxi::store {

void Verifier::segments(SQLite::Database& db) {
  Seals seals;
  SQLite::Statement select_seals(db, "SELECT feed, sequence, offset, hash, signature FROM seal");
  for (Run run(select_seals); run.next();) {
    SealRow& row = seals[{run.number(0), run.number_u64(1)}];
    row = {Offset(run.number_u64(2)), hash_of(run.blob(3), "seal"), std::nullopt};
    const BytesView signature = run.blob(4);
    if (signature.size() == std::tuple_size_v<Signature>) {
      std::copy(signature.begin(), signature.end(), row.signature.emplace().begin());
    }
  }
  SQLite::Statement select(db, "SELECT offset, count, feed, first_sequence, bytes FROM segment ORDER BY offset");
  for (Run run(select); run.next();) {
    const Offset offset(run.number_u64(0));
    const std::uint64_t count = run.number_u64(1);
    if (offset != next_) {
      find("offset " + std::to_string(next_.value) + " is missing, the next segment stands at " + std::to_string(offset.value));
    }
    next_ = Offset(offset.value + count);
    segment(run, offset, count, seals);
  }
  for (const auto& [key, row] : seals) {
    find("offset " + std::to_string(row.offset.value) + ": a seal at sequence " + std::to_string(key.second) +
         " stands without its segment");
  }
}

void Verifier::segment(const Run& run, Offset offset, std::uint64_t count, Seals& seals) {
  ++report.segments;
  const std::uint64_t first = run.number_u64(3);
  const auto feed = feeds_.find(run.number(2));
  std::string at = "offset " + std::to_string(offset.value);
  const auto unread = [&](const std::string& what) {
    own_.unread();
    find(at + ": " + what);
  };
  if (feed == feeds_.end()) return unread("the segment is of no feed of this file");
  const FeedId& id = feed->second;
  at += ", " + to_text(id) + " sequence " + std::to_string(first);
  const std::uint64_t last = first + count - 1;
  const auto sealed = seals.extract({feed->first, last});
  FeedHead& head = heads_[id];
  const FeedHead before = head;
  // Goes on from what the next segment says it follows, so that one damage is told once.
  head = {Sequence(last), sealed ? sealed.mapped().hash : Hash{}};

  const auto parsed = Segment::parse(run.blob(4));
  if (!parsed) return unread(parsed.error().field + ": " + parsed.error().reason);
  const SegmentInfo& info = parsed->info();
  const bool same = info.feed == id && info.count == count && info.first_sequence.value == first && info.first_offset == offset &&
                    parsed->size_bytes() == run.blob(4).size() && !info.filtered;
  if (!same) return unread("the segment's header does not agree with its row");
  head = parsed->last();
  const auto chained = verify_chain(*parsed, before);
  if (!chained) find(at + ": " + chained.error().field + ": " + chained.error().reason);
  report.events += count;
  records(at, id, *parsed);
  if (!sealed) return find(at + ": its last event is not sealed");
  seal(at, id, offset, sealed.mapped(), parsed->last());
}

void Verifier::records(const std::string& at, const FeedId& feed, const Segment& segment) {
  const auto begun = begun_.find(feed);
  for (const RecordView& record : segment.records()) {
    match(feed, record.stamp.sequence, record.hash);
    if (begun != begun_.end() && begun->second.at == record.stamp.sequence &&
        begun->second.hash.value_or(record.hash) != record.hash)
      find(at + ": the retention by which the feed begins here stands otherwise at its place: its region sealed it twice");
    const auto tell = [&](const std::string& what) {
      find(at + ": the event of sequence " + std::to_string(record.stamp.sequence.value) + " " + what);
    };
    // The flag is under no hash, so whoever can write the file can set it.
    if (record.redacted) tell("has lost its body as if redacted, and no rule redacts events");
    if (feed.region == region_ && !own_.take(feed.epoch, record.stamp.ordinal)) {
      tell("has ordinal " + std::to_string(record.stamp.ordinal.value) + ", which stands already");
    }
  }
}

void Verifier::seal(const std::string& at, const FeedId& feed, Offset offset, const SealRow& row, const FeedHead& last) {
  if (row.offset != offset || row.hash != last.hash) return find(at + ": its seal is that of another segment");
  if (!row.signature) return find(at + ": its last event is not sealed");
  const SealPublicKey* key = key_of_(feed.region);
  if (key == nullptr) {
    if (unknown_.insert(feed.region).second) find(at + ": the members file has no key of region " + to_text(feed.region));
    return;
  }
  if (!verify_seal(*key, feed, {last.sequence, last.hash, *row.signature})) {
    return find(at + ": the seal at sequence " + std::to_string(last.sequence.value) + " is not signed by " +
                to_text(feed.region));
  }
  ++report.seals;
}

void Verifier::ordinals() {
  for (const OwnOrdinals::Gap& gap : own_.close()) {
    find("ordinals " + std::to_string(gap.first) + " to " + std::to_string(gap.last) + " of " + to_text(*region_) + " epoch " +
         std::to_string(gap.epoch.value) + " are missing: events of its own feeds are gone");
  }
}

}  // namespace lianxi::store
