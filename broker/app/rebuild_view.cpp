#include "broker/app/rebuild_view.h"

#include <filesystem>
#include <ostream>

#include "broker/app/data_folder.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/view.h"

namespace lianxi::app {

namespace {

store::StoreResult<Offset> rebuild(const NodeFile& file, const std::string& path) {
  const store::JournalOptions options{.folder = file.journal_folder()};
  auto journal = store::open_journal(options, {file.region, Epoch(1), Incarnation(1)});
  if (!journal) return tl::unexpected(journal.error());
  auto reader = store::open_reader(options);
  if (!reader) return tl::unexpected(reader.error());
  auto view = store::open_view({.path = path}, (*journal)->identity());
  if (!view) return tl::unexpected(view.error());
  if (auto done = store::catch_up(**view, **reader, store::kViewTransactionBytes); !done) return tl::unexpected(done.error());
  return (*view)->offset();
}

void remove_database(const std::string& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix, ignored);
}

}  // namespace

int run_rebuild_view(const BrokerConfig& config, std::ostream& out, std::ostream& errors) {
  const NodeFile& file = config.file;
  std::error_code error;
  if (!std::filesystem::is_directory(file.journal_folder(), error)) {
    errors << file.journal_folder() << ": there is no journal to make a view of\n";
    return 1;
  }
  const auto folder = DataFolder::open(file.data_dir);
  if (!folder) {
    errors << folder.error().detail << '\n';
    return 1;
  }
  // Beside the old one, which stays until the new one is whole.
  const std::string fresh = file.view_path() + ".new";
  remove_database(fresh);
  const auto offset = rebuild(file, fresh);
  if (!offset) {
    errors << file.view_path() << ": cannot be made anew: " << offset.error().detail << '\n';
    remove_database(fresh);
    return 1;
  }
  // The last connection is closed: all of it stands in the one file.
  remove_database(file.view_path());
  std::filesystem::rename(fresh, file.view_path(), error);
  if (error) {
    errors << file.view_path() << ": cannot be put in place: " << error.message() << '\n';
    return 1;
  }
  out << file.view_path() << ": made anew up to offset " << offset->value << '\n';
  return 0;
}

}  // namespace lianxi::app
