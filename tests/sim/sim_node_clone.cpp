// A simulated node on an older copy of its whole disk, and another one beside it: as a machine's snapshot is started again by
// hand, or twice. Neither is a restore: no epoch is begun, and no node is told. What its own node finds a person mends.
#include <algorithm>
#include <filesystem>

#include "broker/store/backup.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {

namespace fs = std::filesystem;

namespace {

constexpr TimeMs kLookAgainMs = 1'000;

void copy_view(const std::string& from, const std::string& to) {
  for (const char* suffix : {"", "-wal"}) {
    fs::remove(to + suffix);
    if (fs::exists(from + suffix)) fs::copy_file(from + suffix, to + suffix);
  }
}

}  // namespace

bool SimNode::copy_disk() {
  if (!up() || flip_ || disk_failed()) return false;
  const std::string folder = settings_.folder + "/image";
  fs::remove_all(folder);
  copy_journal_files(config_.journal.folder, folder + "/journal");
  copy_view(config_.view.path, folder + "/view.db");
  image_ = Backup{folder, head()};
  image_heads_ = heads();
  image_epoch_ = node_->identity().epoch;
  image_is_older_ = false;
  return true;
}

// Both histories begin where the copy ends.
void SimNode::branch() {
  FeedVector own = image_heads_;
  std::erase_if(own, [&](const FeedPosition& position) { return position.feed.region != region(); });
  book_.branched(region(), image_epoch_, std::move(own));
  for (const char* what : {"fenced", "fenced_over", "former_gap", "former_gap_over"}) world_.expect_alarm(what);
}

bool SimNode::roll_back() {
  if (!image_ || forgiven_ || image_is_older_) return false;
  pull_out();
  fs::remove_all(config_.journal.folder);
  copy_journal_files(image_->folder + "/journal", config_.journal.folder);
  copy_view(image_->folder + "/view.db", config_.view.path);
  disk_.is_another();
  backup_.reset();  // its offsets may be others' by now
  image_is_older_ = true;
  world_.note(name() + " goes on from an older copy of its disk, head " + std::to_string(image_->head.value));
  world_.fired(Fault::rolled_back);
  branch();
  book_.restored(region(), host_, image_->head);
  for (const auto& told : rolled_back_) told(true);
  return true;
}

std::unique_ptr<SimNode> SimNode::clone(HostId host) {
  NodeSettings settings = settings_;
  settings.folder += "-clone";
  settings.is_clone = true;
  settings.second_deaths = false;
  copy_journal_files(image_->folder + "/journal", settings.folder + "/journal");
  copy_view(image_->folder + "/view.db", settings.folder + "/view.db");
  branch();
  book_.cloned(host_, host, image_->head);
  world_.note(name() + " has a clone from now on, head " + std::to_string(image_->head.value));
  return std::make_unique<SimNode>(world_, network_, book_, host, std::move(settings), random_.next());
}

void SimNode::take_off() {
  if (taken_off_) return;
  world_.note(name() + " is taken off");
  taken_off_ = true;
  pull_out();
  book_.gone(host_);
}

bool SimNode::follows(const SimNode& other, Lane lane) const {
  if (!up() || !other.up()) return false;
  const core::LinkId id{other.region(), static_cast<core::LaneClass>(lane)};
  const auto dialer = links_.find(id);
  if (dialer == links_.end() || network_.reached(dialer->second) != other.host_) return false;
  const std::vector<core::LinkView> links = node_->core().links();
  return std::any_of(links.begin(), links.end(),
                     [&](const core::LinkView& link) { return link.link == id && link.state == "following"; });
}

bool SimNode::has_alarm(const std::string& what) const {
  const std::string today = to_text(region()) + "/" + std::to_string(node_->identity().epoch.value) + "/";
  const std::vector<AlarmRow> rows = node_->core().alarms();
  return std::any_of(rows.begin(), rows.end(), [&](const AlarmRow& row) {
    return row.what == what && (row.about == to_text(region()) || row.about.starts_with(today));
  });
}

void SimNode::told_of_fork(const core::Alarm& alarm) {
  book_.alarmed(alarm.what, alarm.reason);
  if (alarm.what == "feed_forked" && !operator_called_) call_operator(random_.between(500, 5'000));
}

void SimNode::call_operator(TimeMs delay) {
  operator_called_ = true;
  world_.after(delay, [this] { see_to_fork(); });
}

// What the alarm asks for. The journal as it stands keeps all that this node has promised; the copy that it was rolled back to
// lacks what it took since, but for what others hold.
void SimNode::see_to_fork() {
  operator_called_ = false;
  if (taken_off_) return;
  if (!up() || disk_failed() || flip_ || (!has_alarm("feed_forked") && has_alarm("fork_claimed")))
    return call_operator(kLookAgainMs);
  if (!has_alarm("feed_forked")) return;
  if (settings_.is_clone) return take_off();
  world_.fired(Fault::fork_ended_by_restore);
  if (image_is_older_ && random_.chance(50)) {
    (void)restore_from(image_->folder + "/journal", image_->head, true);
    return;
  }
  const std::string folder = settings_.folder + "/forked";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto copied = store::copy_journal(config_.journal.folder, folder, nullptr);
  if (!copied) return fail("its journal cannot be copied", copied.error());
  (void)restore_from(folder, head(), true);
}

}  // namespace lianxi::sim
