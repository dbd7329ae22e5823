#include "broker/store/journal_keep.h"

#include "broker/store/archive.h"
#include "broker/store/journal_rewrite.h"
#include "broker/store/proof_run.h"

namespace lianxi::store {

namespace {

constexpr const char* kPacking = ".packing";

// Nothing if the archive holds what the plain file holds, else why that cannot be said.
std::string differs(const std::string& plain, const std::string& archive) {
  if (file_size(plain + "-wal", "") > 0) return "the plain file has a log";
  const auto same = guarded("read both", [&] { return same_rows({plain, false}, {archive, true}); });
  if (!same) return same.error().detail;
  return *same ? "" : "they do not hold the same";
}

}  // namespace

StoreResult<ArchivedFile> archive_file(const std::string& folder, std::uint64_t number, const KeyOf& key_of) {
  const std::string plain = journal_path(folder, number);
  return guarded("archive " + plain, [&] {
    const JournalPlace from{plain, false};
    ArchivedFile out{archive_path(folder, number), file_size(plain, ""), 0};
    need_room(from);
    // Written anew: joined segments have left holes in it, and tables that lie together pack and break better.
    const HalfMade copy(plain + kPacking), fresh(out.path + ".new");
    const JournalPlace packed{fresh.path(), true};
    rewrite_file(from, copy.path(), {});
    write_archive(copy.path(), packed.path);
    if (!archive_holds(packed.path, copy.path()) || !same_rows(from, packed))
      fail(StoreError::corrupt, packed.path + " does not hold what was packed");
    // The proof that let it be packed is old, and after this nothing else bears the number.
    const auto findings = ProofRun(folder, key_of).prove(number, packed).findings;
    if (!findings.empty()) fail(StoreError::corrupt, "it does not verify: " + findings.front());
    out.packed_bytes = file_size(packed.path, "");
    move_file(packed.path, out.path);
    sync_folder(folder, "");
    remove_database(plain, "");
    return out;
  });
}

StoreResult<std::vector<std::string>> tidy_journal(const std::string& folder) {
  return guarded("tidy " + folder, [&] {
    std::vector<std::string> kept;
    for (const std::uint64_t number : list_journal(folder)) {
      const std::string plain = journal_path(folder, number), archive = archive_path(folder, number);
      for (const char* half : {kPacking, ".mended"}) const HalfMade gone(plain + half);
      const HalfMade gone(archive + ".new");
      if (!file_exists(archive, "") || !file_exists(plain, "")) continue;
      const std::string why = differs(plain, archive);
      if (why.empty()) remove_database(plain, "");
      if (!why.empty()) kept.push_back(plain + " stays beside its archive, and is packed again: " + why);
    }
    return kept;
  });
}

}  // namespace lianxi::store
