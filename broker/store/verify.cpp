// The offline proof of a journal: every byte of every event from the files up to the seals. Here the files, one behind another.
#include <algorithm>
#include <filesystem>

#include "broker/store/fork_table.h"
#include "broker/store/migrations.h"
#include "broker/store/proof_run.h"
#include "broker/store/quarantine.h"
#include "broker/store/verifier.h"
#include "broker/store/wal_scan.h"

namespace lianxi::store {

Verifier::Verifier(std::string folder, const KeyOf& key_of, const FeedVector& against)
    : folder_(std::move(folder)), key_of_(key_of) {
  for (const FeedPosition& position : against) {
    if (position.head.sequence.value > 0) wanted_[position.feed] = position.head;
  }
}

void Verifier::file(std::uint64_t number, bool last, const std::optional<JournalPlace>& at) {
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

void Verifier::finish() {
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

std::unique_ptr<QuietCopy> Verifier::standing(std::uint64_t number, const std::string& path) {
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

void Verifier::judge_log(const std::string& path) {
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

bool Verifier::begun(SQLite::Database& db, std::uint64_t number, bool last) {
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

void Verifier::start(const JournalMeta& meta) {
  report.region = meta.identity.region;
  report.first_file = meta.file;
  report.first_offset = meta.first_offset;
  if (lost_ || (meta.file == 1 && meta.first_offset == Offset(1))) return;
  find("the journal begins here, with file " + std::to_string(meta.file) + " at offset " +
       std::to_string(meta.first_offset.value) + ": what was before is missing");
  lost_ = true;
}

void Verifier::integrity(SQLite::Database& db) {
  SQLite::Statement check(db, "PRAGMA integrity_check(20)");
  while (check.executeStep()) {
    const std::string line = check.getColumn(0).getString();
    if (line != "ok") find(line);
  }
}

void Verifier::evidence(SQLite::Database& db) {
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

void Verifier::answers(SQLite::Database& db) {
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
