// The offline proof of a journal, file by file: what it knows from one file to the next. By subject: the files and what stands
// beside their feeds (verify.cpp), feeds (verify_feeds.cpp), segments (verify_segments.cpp). One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "broker/store/files.h"
#include "broker/store/journal_file.h"
#include "broker/store/own_ordinals.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/verify_copy.h"

namespace lianxi::store {

class Verifier {
 public:
  // Borrows `key_of`.
  Verifier(std::string folder, const KeyOf& key_of, const FeedVector& against);

  // `last`: no file comes after it. `at`: where it stands, if not under its name.
  void file(std::uint64_t number, bool last, const std::optional<JournalPlace>& at = std::nullopt);
  // What was before the first file is not asked for.
  void trust_opening() { lost_ = true; }
  // Behind the last file: what the vector names must have been there.
  void finish();

  VerifyReport report;

 private:
  struct SealRow {
    Offset offset;
    Hash hash{};
    std::optional<Signature> signature;
  };
  using Seals = std::map<std::pair<std::int64_t, std::uint64_t>, SealRow>;  // by the feed's row and the sequence
  struct Begun {
    FeedHead through;
    Sequence at;               // of the retention
    std::optional<Hash> hash;  // the chain's there, as its proof says
  };

  void find(const std::string& what) { report.findings.push_back(name_ + ": " + what); }

  // --- files, verify.cpp ---
  // A node that works may archive the file between the look for it and its opening: then again, where it stands now.
  std::unique_ptr<QuietCopy> standing(std::uint64_t number, const std::string& path);
  void judge_log(const std::string& path);
  bool begun(SQLite::Database& db, std::uint64_t number, bool last);
  // Nothing takes files out of a journal: it begins with file 1 at offset 1, and no feed has anything before it.
  void start(const JournalMeta& meta);
  void integrity(SQLite::Database& db);
  // Not of the journal's own proof, but beside it: what others delivered of its feeds and contradicts it.
  void evidence(SQLite::Database& db);
  void answers(SQLite::Database& db);

  // --- feeds, verify_feeds.cpp ---
  // Which feeds may begin in their middle, by their own region's word.
  void beginnings(SQLite::Database& db);
  void begin(const Beginning& row);
  // The heads at the file's beginning are those at the end of the file before, if that is known.
  void openings(SQLite::Database& db);
  void match(const FeedId& feed, Sequence sequence, const Hash& hash);
  // Whose journal it is stands in one number that no hash covers; what only the own region writes must agree with it.
  void own_region();

  // --- segments, verify_segments.cpp ---
  void segments(SQLite::Database& db);
  void segment(const Run& run, Offset offset, std::uint64_t count, Seals& seals);
  void records(const std::string& at, const FeedId& feed, const Segment& segment);
  void seal(const std::string& at, const FeedId& feed, Offset offset, const SealRow& row, const FeedHead& last);
  void ordinals();

  std::string folder_;
  const KeyOf& key_of_;
  std::map<FeedId, FeedHead> wanted_;
  std::map<FeedId, FeedHead> heads_;
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

}  // namespace lianxi::store
