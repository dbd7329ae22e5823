// The offline proof of a journal: its feeds, where they begin and go on from file to file.
#include <algorithm>

#include "broker/store/beginning_table.h"
#include "broker/store/verifier.h"
#include "schemas/codec/retention_proof.h"

namespace lianxi::store {

void Verifier::beginnings(SQLite::Database& db) {
  const auto rows = BeginningTable(db).load();
  for (const Beginning& row : rows) {
    const auto known = begun_.find(row.feed);
    if (row.proof.empty() && lost_) {  // it stands in a file that is not looked at
      begun_.insert_or_assign(row.feed, Begun{row.through, row.retained_at, std::nullopt});
    } else if (row.proof.empty() || known != begun_.end()) {
      if (known == begun_.end() || known->second.through != row.through || known->second.at != row.retained_at)
        find("it says that " + to_text(row.feed) + " begins behind sequence " + std::to_string(row.through.sequence.value) +
             ", and no file before it proves that");
    } else {
      begin(row);
    }
  }
  for (const auto& [feed, begun] : begun_) {
    if (std::none_of(rows.begin(), rows.end(), [f = &feed](const Beginning& row) { return row.feed == *f; }))
      find("it does not know that " + to_text(feed) + " begins in its middle, as the file before says");
  }
}

void Verifier::begin(const Beginning& row) {
  const std::string what = to_text(row.feed) + " begins at sequence " + std::to_string(row.through.sequence.value + 1) +
                           " by the retention at sequence " + std::to_string(row.retained_at.value);
  const SealPublicKey* key = key_of_(row.feed.region);
  const auto segment = Segment::parse(row.proof);
  if (key == nullptr || !segment || segment->info().feed != row.feed)
    return find(what + ", which proves nothing: " +
                (key == nullptr ? "the members file has no key of region " + to_text(row.feed.region)
                 : !segment     ? segment.error().reason
                                : "it is of another feed"));
  const auto proof = read_retention_proof(*segment, *key);
  if (!proof) return find(what + ", which proves nothing: " + proof.error().reason);
  if (proof->through != row.through || proof->at != row.retained_at)
    return find(what + ", which says that it begins behind sequence " + std::to_string(proof->through.sequence.value));
  begun_.insert_or_assign(row.feed, Begun{row.through, row.retained_at, proof->hash});
  report.beginnings.push_back(name_ + ": " + what);
}

void Verifier::openings(SQLite::Database& db) {
  const auto feeds = read_feeds(db);
  feeds_.clear();
  for (const auto& [id, feed] : feeds) {
    feeds_[feed.row] = id;
    const auto before = heads_.find(id);
    const auto begun = before == heads_.end() ? begun_.find(id) : begun_.end();
    const FeedHead expected = before != heads_.end()  ? before->second
                              : begun != begun_.end() ? begun->second.through
                                                      : FeedHead{};
    if (!lost_ && expected != feed.opening) {
      find("it opens " + to_text(id) + " at sequence " + std::to_string(feed.opening.sequence.value) +
           " with a head that is not the file before's");
    }
    heads_[id] = feed.opening;
    match(id, feed.opening.sequence, feed.opening.hash);
  }
  for (const auto& [id, head] : heads_) {
    if (!feeds.contains(id)) find("it does not know " + to_text(id) + ", which the file before holds");
  }
  lost_ = false;
}

void Verifier::match(const FeedId& feed, Sequence sequence, const Hash& hash) {
  const auto wanted = wanted_.find(feed);
  if (wanted == wanted_.end() || wanted->second.sequence != sequence) return;
  if (wanted->second.hash != hash) {
    find(to_text(feed) + " sequence " + std::to_string(sequence.value) + " has another hash than the vector: a fork");
  }
  wanted_.erase(wanted);
}

void Verifier::own_region() {
  for (const auto& [id, head] : heads_) {
    if (id.audience == Audience::local() && id.region != region_ && foreign_.insert(id.region).second) {
      find("it says that it is the journal of " + to_text(*region_) + ", but holds " + to_text(id) +
           ", which never leaves its region");
    }
  }
}

}  // namespace lianxi::store
