#include "broker/store/journal_keep.h"

#include <filesystem>

#include "broker/store/archive.h"
#include "broker/store/journal_rewrite.h"

namespace lianxi::store {

namespace {

constexpr std::uint64_t kRoomTimes = 4;  // the copy, the archive, and as much again for whoever writes beside it

constexpr const char* kPacking = ".packing";

}  // namespace

StoreResult<ArchivedFile> archive_file(const std::string& folder, std::uint64_t number) {
  const std::string plain = journal_path(folder, number);
  return guarded("archive " + plain, [&] {
    ArchivedFile out{archive_path(folder, number), file_size(plain, ""), 0};
    if (std::filesystem::space(folder).available < kRoomTimes * out.plain_bytes)
      fail(StoreError::full, "too little room on the disk");
    const JournalPlace from{plain, false};
    // Written anew: joined segments have left holes in it, and tables that lie together pack and break better.
    const JournalPlace copy{plain + kPacking, false};
    const JournalPlace fresh{out.path + ".new", true};
    rewrite_file(from, copy.path, {});
    write_archive(copy.path, fresh.path);
    if (!archive_holds(fresh.path, copy.path) || !same_rows(from, fresh))
      fail(StoreError::corrupt, fresh.path + " does not hold what was packed");
    out.packed_bytes = file_size(fresh.path, "");
    move_file(fresh.path, out.path);
    sync_folder(folder, "");
    remove_database(plain, "");
    remove_database(copy.path, "");
    return out;
  });
}

StoreResult<void> tidy_journal(const std::string& folder) {
  return guarded("tidy " + folder, [&] {
    std::error_code ignored;
    for (const std::uint64_t number : list_journal(folder)) {
      const std::string plain = journal_path(folder, number), archive = archive_path(folder, number);
      for (const char* half : {kPacking, ".mended"})
        if (file_exists(plain + half, "")) remove_database(plain + half, "");
      std::filesystem::remove(archive + ".new", ignored);
      if (file_exists(archive, "") && file_exists(plain, "")) remove_database(plain, "");
    }
  });
}

}  // namespace lianxi::store
