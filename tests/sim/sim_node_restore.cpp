// A simulated node whose disk is replaced by an older copy: as `lianxi-broker backup` and `restore` do it.
#include <algorithm>
#include <filesystem>

#include "broker/store/backup.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kEpochsPerSecond = 100;  // as a clock of hours gives them to restores that are days apart

}  // namespace

void SimNode::copy_journal_files(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".db") || name.ends_with(".db-wal")) fs::copy_file(entry.path(), to + "/" + name);
  }
}

bool SimNode::back_up() {
  if (!up() || flip_ || disk_failed()) return false;
  const std::string folder = settings_.folder + "/backup";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto copied = store::copy_journal(config_.journal.folder, folder, nullptr);
  if (!copied) {
    fail("its journal cannot be copied", copied.error());
    return false;
  }
  backup_ = Backup{folder, head()};
  world_.note(name() + " is backed up, head " + std::to_string(head().value));
  return true;
}

void SimNode::pull_out() {
  disk_.kill();
  const bool was_up = up();
  stop();
  network_.stall(host_, 0);
  fuse_.clear();
  busy_until_ = 0;
  disk_.restart_after_process_crash();
  flip_.reset();  // in files that are replaced
  if (was_up) world_.after(random_.between(20, 3000), [this] { start(); });
}

void SimNode::forget_copies_behind(Offset kept) {
  if (backup_ && backup_->head > kept) backup_.reset();
  if (!image_ || image_->head <= kept) return;
  image_.reset();
  image_is_older_ = false;
}

bool SimNode::restore() {
  return backup_ && !forgiven_ && restore_from(backup_->folder, backup_->head, !mutated(Mutation::no_epoch_fence));
}

bool SimNode::restore_from(const std::string& folder, Offset kept, bool in_new_epoch) {
  pull_out();
  const std::string fresh = settings_.folder + "/restored";
  fs::remove_all(fresh);
  copy_journal_files(folder, fresh);
  if (in_new_epoch) {
    const Epoch epoch(static_cast<std::uint32_t>(world_.elapsed_ms() * kEpochsPerSecond / 1000) + 2);
    const store::JournalOptions options{fresh, "", config_.journal.file_bytes, true};
    const auto begun = store::begin_epoch(options, epoch, Incarnation(random_.next() | 1U));
    if (!begun) {
      fail("no epoch can be begun after a restore", begun.error());
      return false;
    }
    world_.note(name() + " is restored up to " + std::to_string(kept.value) + " and begins epoch " +
                std::to_string(begun->epoch.value));
  }
  fs::remove_all(config_.journal.folder);
  fs::rename(fresh, config_.journal.folder);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(config_.view.path + suffix);
  for (const char* what : {"fenced", "fenced_over", "former_gap", "former_gap_over"}) world_.expect_alarm(what);
  disk_.is_another();
  book_.restored(region(), host_, kept);
  forget_copies_behind(kept);
  for (const auto& told : rolled_back_) told(false);
  return true;
}

}  // namespace lianxi::sim
