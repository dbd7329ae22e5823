// The journal on SQLite: WAL, synchronous=FULL, one row per segment. No clock, no threads of its own.
#pragma once

#include "broker/store/journal.h"

namespace lianxi::store {

struct JournalOptions {
  std::string folder;
  std::string vfs;                                 // empty: the default; the simulator names its own
  std::uint64_t file_bytes = 64ULL * 1024 * 1024;  // the writer moves on to a fresh file above this
  bool sync = true;                                // false only in the simulator's mutation: promise 1 then breaks
};

// Opens or makes the journal. At open the recovered WAL of the active file is checkpointed and synced before anything is
// read (after kill -9 SQLite shows frames that were never synced). `fresh` names the node for a new folder; a folder of
// another region is wrong_node.
[[nodiscard]] StoreResult<std::unique_ptr<Journal>> open_journal(const JournalOptions& options, const JournalIdentity& fresh);
[[nodiscard]] StoreResult<std::unique_ptr<JournalReader>> open_reader(const JournalOptions& options);

// What follows a restore: from here on the journal's own feeds are those of a later epoch (the next one, or `at_least`), whose
// ordinals begin at 1, and offsets mean something else to whoever kept one (`fresh`). A file of its own says so; one
// transaction. The journal must be there, and nobody may have it open.
[[nodiscard]] StoreResult<JournalIdentity> begin_epoch(const JournalOptions& options, Epoch at_least, Incarnation fresh);

// Offline proof of a whole journal, file by file: SQLite integrity, record checksums, dense offsets and sequences, dense
// ordinals of the own region, nothing redacted, chain across files from the first on, every seal with the keys given, WAL
// frames behind a bad one. What is cut off at the journal's very end, or at the end of a peer's feed, only `against` finds.
// Progress is called per file.
struct VerifyReport {
  RegionCode region;  // whose journal it says it is; 0 if no file could be read
  std::uint64_t first_file = 0;
  Offset first_offset{0};  // where the proof begins
  std::uint64_t files = 0, segments = 0, events = 0, seals = 0;
  FeedVector heads;
  // Empty: proven. Else one line a finding: file, offset, feed and sequence, what is wrong.
  std::vector<std::string> findings;
  // Forks that seals of a region prove by themselves: one line each. They do not make the journal unproven.
  std::vector<std::string> evidence;
  // Feeds that begin in their middle, each by a retention of its own region, one line each: proven like the rest.
  std::vector<std::string> beginnings;
};
using KeyOf = std::function<const SealPublicKey*(RegionCode)>;
[[nodiscard]] StoreResult<VerifyReport> verify_journal(
    const std::string& folder, const KeyOf& key_of, const FeedVector& against,
    const std::function<void(std::uint64_t files, std::uint64_t of)>& progress);

}  // namespace lianxi::store
