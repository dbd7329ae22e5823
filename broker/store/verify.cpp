// The offline proof of a journal: every byte of every event from the files up to the seals.
#include <algorithm>
#include <filesystem>
#include <set>

#include "broker/store/beginning_table.h"
#include "broker/store/files.h"
#include "broker/store/fork_table.h"
#include "broker/store/journal_file.h"
#include "broker/store/migrations.h"
#include "broker/store/own_ordinals.h"
#include "broker/store/proof_run.h"
#include "broker/store/quarantine.h"
#include "broker/store/verify_copy.h"
#include "broker/store/wal_scan.h"
#include "schemas/codec/retention_proof.h"

namespace lianxi::store {

namespace {

struct SealRow {
  Offset offset;
  Hash hash{};
  std::optional<Signature> signature;
};

class Verifier {
 public:
  Verifier(std::string folder, const KeyOf& key_of, const FeedVector& against) : folder_(std::move(folder)), key_of_(key_of) {
    for (const FeedPosition& position : against) {
      if (position.head.sequence.value > 0) wanted_[position.feed] = position.head;
    }
  }

  // `last`: no file comes after it. `at`: where it stands, if not under its name.
  void file(std::uint64_t number, bool last, const std::optional<JournalPlace>& at = std::nullopt) {
    const std::string path = journal_path(folder_, number);
    name_ = std::filesystem::path(path).filename().string();
    if (previous_ && number != *previous_ + 1) find("the file before it is missing");
    previous_ = number;
    // Still being made, or its maker was killed: a file has a rollback journal only while its first page is written.
    if (last && file_exists(path + "-journal", "") && file_size(path, "") <= kJournalPageBytes) return;
    try {
      const std::unique_ptr<QuietCopy> copy = at ? std::make_unique<QuietCopy>(*at) : standing(number, path);
      if (!begun(copy->db(), number, last)) return;
      ++report.files;
      integrity(copy->db());
      beginnings(copy->db());
      openings(copy->db());
      segments(copy->db());
      ordinals();
      own_region();
      answers(copy->db());
      evidence(copy->db());
    } catch (const Broken& broken) {
      find(broken.failure.detail);
      lost_ = true;
    } catch (const SQLite::Exception& error) {
      find(error.what());
      lost_ = true;
    }
  }

  // What was before the first file is not asked for.
  void trust_opening() { lost_ = true; }

  void finish() {
    name_ = "vector";
    for (const auto& [feed, head] : wanted_) {
      const auto held = heads_.find(feed);
      if (const auto begun = begun_.find(feed); begun != begun_.end() && head.sequence < begun->second.through.sequence) {
        report.beginnings.push_back("vector: " + to_text(feed) + " sequence " + std::to_string(head.sequence.value) +
                                    " lies before the feed's beginning in this journal, so it cannot be compared");
        continue;
      }
      find(to_text(feed) + " sequence " + std::to_string(head.sequence.value) + " is not in this journal, which " +
           (held == heads_.end() ? "has nothing of the feed" : "ends at " + std::to_string(held->second.sequence.value)));
    }
    for (const auto& [feed, head] : heads_) report.heads.push_back({feed, head});
  }

  VerifyReport report;

 private:
  void find(const std::string& what) { report.findings.push_back(name_ + ": " + what); }

  // A node that works may archive the file between the look for it and its opening: then again, where it stands now.
  std::unique_ptr<QuietCopy> standing(std::uint64_t number, const std::string& path) {
    constexpr int kLooks = 3;
    const std::string plain = name_;
    for (int look = 1;; ++look) {
      const JournalPlace place = find_journal(folder_, number, "").value_or(JournalPlace{path, false});
      name_ = plain + (place.archived ? ".zst" : "");
      try {
        if (!place.archived) judge_log(path);
        return std::make_unique<QuietCopy>(place);
      } catch (const Broken&) {
        if (look == kLooks || find_journal(folder_, number, "").value_or(place) == place) throw;
      } catch (const SQLite::Exception&) {
        if (look == kLooks || find_journal(folder_, number, "").value_or(place) == place) throw;
      }
    }
  }

  void judge_log(const std::string& path) {
    // A log that is being written may end in a frame that is half there: what is bad must stay bad.
    constexpr int kLooks = 3;
    WalScan log;
    for (int look = 0; look < kLooks; ++look) {
      log = scan_wal(path + "-wal", page_bytes_of(path, ""), "");
      if (!log.bad_frame) return;
    }
    name_ += "-wal";
    find(log.place + ": the checksum is wrong, " +
         (log.later_commits ? "and later commits stand behind it: damage"
                            : "in the last commit: damage, or a power cut before it was acknowledged"));
    name_.resize(name_.size() - 4);
  }

  bool begun(SQLite::Database& db, std::uint64_t number, bool last) {
    check_version(db, journal_migrations());
    const auto meta = read_meta(db);
    if (!meta) {
      if (!last) find("it has no meta rows, though another file follows");
      return false;
    }
    if (meta->file != number) find("it says that it is file " + std::to_string(meta->file));
    if (region_ && *region_ != meta->identity.region) find("it is the journal of region " + to_text(meta->identity.region));
    region_ = meta->identity.region;
    if (report.files == 0) start(*meta);
    if (report.files > 0 && !lost_ && meta->first_offset != next_) {
      find("it begins at offset " + std::to_string(meta->first_offset.value) + ", the file before ends at " +
           std::to_string(next_.value));
    }
    next_ = meta->first_offset;
    if (!own_.open(meta->identity.epoch, meta->opening_ordinal, lost_)) {
      find("it opens at ordinal " + std::to_string(meta->opening_ordinal.value) + ", which is not the file before's last");
    }
    return true;
  }

  // Nothing takes files out of a journal: it begins with file 1 at offset 1, and no feed has anything before it.
  void start(const JournalMeta& meta) {
    report.region = meta.identity.region;
    report.first_file = meta.file;
    report.first_offset = meta.first_offset;
    if (lost_ || (meta.file == 1 && meta.first_offset == Offset(1))) return;
    find("the journal begins here, with file " + std::to_string(meta.file) + " at offset " +
         std::to_string(meta.first_offset.value) + ": what was before is missing");
    lost_ = true;
  }

  void integrity(SQLite::Database& db) {
    SQLite::Statement check(db, "PRAGMA integrity_check(20)");
    while (check.executeStep()) {
      const std::string line = check.getColumn(0).getString();
      if (line != "ok") find(line);
    }
  }

  // Which feeds may begin in their middle, by their own region's word.
  void beginnings(SQLite::Database& db) {
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
      if (std::none_of(rows.begin(), rows.end(), [&](const Beginning& row) { return row.feed == feed; }))
        find("it does not know that " + to_text(feed) + " begins in its middle, as the file before says");
    }
  }

  void begin(const Beginning& row) {
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

  // The heads at the file's beginning are those at the end of the file before, if that is known.
  void openings(SQLite::Database& db) {
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

  void segments(SQLite::Database& db) {
    std::map<std::pair<std::int64_t, std::uint64_t>, SealRow> seals;
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

  void ordinals() {
    for (const OwnOrdinals::Gap& gap : own_.close()) {
      find("ordinals " + std::to_string(gap.first) + " to " + std::to_string(gap.last) + " of " + to_text(*region_) + " epoch " +
           std::to_string(gap.epoch.value) + " are missing: events of its own feeds are gone");
    }
  }

  void segment(const Run& run, Offset offset, std::uint64_t count,
               std::map<std::pair<std::int64_t, std::uint64_t>, SealRow>& seals) {
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
    const bool same = info.feed == id && info.count == count && info.first_sequence.value == first &&
                      info.first_offset == offset && parsed->size_bytes() == run.blob(4).size() && !info.filtered;
    if (!same) return unread("the segment's header does not agree with its row");
    head = parsed->last();
    const auto chained = verify_chain(*parsed, before);
    if (!chained) find(at + ": " + chained.error().field + ": " + chained.error().reason);
    report.events += count;
    records(at, id, *parsed);
    if (!sealed) return find(at + ": its last event is not sealed");
    seal(at, id, offset, sealed.mapped(), parsed->last());
  }

  void records(const std::string& at, const FeedId& feed, const Segment& segment) {
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

  void seal(const std::string& at, const FeedId& feed, Offset offset, const SealRow& row, const FeedHead& last) {
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

  void match(const FeedId& feed, Sequence sequence, const Hash& hash) {
    const auto wanted = wanted_.find(feed);
    if (wanted == wanted_.end() || wanted->second.sequence != sequence) return;
    if (wanted->second.hash != hash) {
      find(to_text(feed) + " sequence " + std::to_string(sequence.value) + " has another hash than the vector: a fork");
    }
    wanted_.erase(wanted);
  }

  // Whose journal it is stands in one number that no hash covers; what only the own region writes must agree with it.
  void own_region() {
    for (const auto& [id, head] : heads_) {
      if (id.audience == Audience::local() && id.region != region_ && foreign_.insert(id.region).second) {
        find("it says that it is the journal of " + to_text(*region_) + ", but holds " + to_text(id) +
             ", which never leaves its region");
      }
    }
  }

  // Not of the journal's own proof, but beside it: what others delivered of its feeds and contradicts it.
  void evidence(SQLite::Database& db) {
    for (const QuarantinedSegment& part : ForkTable(db).load_segments()) {
      const SealPublicKey* key = key_of_(part.about.feed.region);
      if (key == nullptr) continue;
      const std::string wrong = judge_evidence(part, *key);
      if (!wrong.empty()) {
        find("what is quarantined of " + to_text(part.about.feed) + " from sequence " + std::to_string(part.about.first.value) +
             " proves nothing: " + wrong);
        continue;
      }
      report.evidence.push_back(name_ + ": " + evidence_text(part.about) + "; both are sealed by " +
                                to_text(part.about.feed.region) + ": the fork is proven by them alone");
    }
  }

  void answers(SQLite::Database& db) {
    SQLite::Statement select(db, "SELECT agent, first, last, answers FROM answer");
    for (Run run(select); run.next();) {
      const auto decoded = decode_answers(run.blob(3));
      if (decoded && decoded->size() == run.number_u64(2) - run.number_u64(1) + 1) {
        const auto other = std::find_if(decoded->begin(), decoded->end(), [&](const StoredAnswer& answer) {
          return answer.accepted && answer.feed.region != region_;
        });
        if (other != decoded->end() && foreign_.insert(other->feed.region).second) {
          find("it says that it is the journal of " + to_text(*region_) + ", but its receipts are those of " +
               to_text(other->feed.region));
        }
        continue;
      }
      find("the answers to " + run.text(0) + " from sequence " + std::to_string(run.number_u64(1)) + " cannot be read");
    }
  }

  std::string folder_;
  const KeyOf& key_of_;
  std::map<FeedId, FeedHead> wanted_;
  std::map<FeedId, FeedHead> heads_;
  struct Begun {
    FeedHead through;
    Sequence at;               // of the retention
    std::optional<Hash> hash;  // the chain's there, as its proof says
  };
  std::map<FeedId, Begun> begun_;
  std::map<std::int64_t, FeedId> feeds_;  // of the file at hand
  OwnOrdinals own_;
  std::set<RegionCode> unknown_, foreign_;
  std::optional<RegionCode> region_;
  std::optional<std::uint64_t> previous_;
  Offset next_{1};
  bool lost_ = false;  // the file before could not be read to its end
  std::string name_;
};

}  // namespace

struct ProofRun::State {
  State(const std::string& folder, KeyOf keys) : key_of(std::move(keys)), verifier(folder, key_of, {}) {
    verifier.trust_opening();
  }
  KeyOf key_of;
  Verifier verifier;
};

ProofRun::ProofRun(const std::string& folder, KeyOf key_of) : state_(std::make_unique<State>(folder, std::move(key_of))) {}
ProofRun::~ProofRun() = default;

ProofRun::Proof ProofRun::prove(std::uint64_t number) {
  return proven(number, std::nullopt);
}
ProofRun::Proof ProofRun::prove(std::uint64_t number, const JournalPlace& place) {
  return proven(number, place);
}

ProofRun::Proof ProofRun::proven(std::uint64_t number, const std::optional<JournalPlace>& place) {
  Verifier& verifier = state_->verifier;
  const std::uint64_t events = verifier.report.events;
  verifier.file(number, false, place);
  return {verifier.report.events - events, std::exchange(verifier.report.findings, {})};
}

StoreResult<VerifyReport> verify_journal(const std::string& folder, const KeyOf& key_of, const FeedVector& against,
                                         const std::function<void(std::uint64_t files, std::uint64_t of)>& progress) {
  return guarded("verify the journal", [&] {
    const std::vector<std::uint64_t> numbers = list_journal(folder);
    if (numbers.empty()) fail(StoreError::not_found, "no journal in " + folder);
    Verifier verifier(folder, key_of, against);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      verifier.file(numbers[i], i + 1 == numbers.size());
      if (progress) progress(i + 1, numbers.size());
    }
    verifier.finish();
    return std::move(verifier.report);
  });
}

}  // namespace lianxi::store
