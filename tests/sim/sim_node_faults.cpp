// What befalls a simulated node.
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "broker/store/files.h"
#include "broker/store/journal_audit.h"
#include "schemas/limits.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {
namespace {

constexpr TimeMs kFarAheadMs = 25'000;  // two clocks may then be further apart than is followed

std::string word_of(Death how) {
  return how == Death::power_cut ? "power cut" : "process crash";
}

}  // namespace

void SimNode::die_at_operation(Death how, std::uint64_t operations) {
  planned_ = how;
  disk_.set_fuse(operations);
}

void SimNode::die_at_effect(Death how, std::uint64_t effects) {
  planned_ = how;
  fuse_.set(effects);
}

void SimNode::lack_disk(bool lacks) {
  enqueue({clock(), core::DiskState{lacks}}, false);
}

void SimNode::fail_disk(SimDisk::Error error, std::uint64_t operations, std::uint64_t more) {
  disk_.fail_later(error, operations, more);
}

void SimNode::slow_disk(TimeMs at_most, TimeMs until) {
  slow_at_most_ = at_most;
  slow_until_ = until;
}

void SimNode::jump_clock(TimeMs by) {
  skew_ms_ += by;
  world_.fired(by > 0 ? Fault::clock_forward : Fault::clock_back);
  // Small jumps of two nodes add up, too.
  if (std::abs(by) < kFarAheadMs && std::abs(skew_ms_) < kMaxClockSkewMs / 2) return;
  for (const char* what : {"clock_ahead", "clock_ahead_over", "clock_behind", "clock_behind_over", "members_differ"})
    world_.expect_alarm(what);
  world_.expect_alarm("follower_stuck");
}

void SimNode::put_clock_right() {
  if (skew_ms_ >= 0) return;
  world_.note(name() + " has its clock put forward by " + std::to_string(-skew_ms_) + " ms");
  skew_ms_ = 0;
}

void SimNode::set_policy(std::shared_ptr<const core::Policy> policy) {
  settings_.policy = std::move(policy);
  enqueue({clock(), core::PolicyChanged{settings_.policy, settings_.members, nullptr}}, false);
}

void SimNode::set_members(std::shared_ptr<const core::Members> members) {
  settings_.members = std::move(members);
  enqueue({clock(), core::PolicyChanged{settings_.policy, settings_.members, nullptr}}, false);
}

void SimNode::forgive() {
  forgiven_ = true;
  disk_.clear_fuse();
  disk_.forgive_errors();
  fuse_.clear();
  slow_until_ = 0;
  have_mended();
}

void SimNode::die(Death how) {
  if (!up()) return;
  planned_ = how;
  crash(Fault::death_at_rest);
}

void SimNode::crash(Fault where) {
  const bool by_error = disk_.failed() && !disk_.dead();
  if (by_error) planned_ = random_.chance(30) ? Death::power_cut : Death::process_crash;
  world_.note(name() + " dies (" + std::string(to_word(where)) + (by_error ? ", of an error of its disk" : "") +
              "): " + word_of(planned_));
  world_.fired(where);
  world_.fired(planned_ == Death::power_cut ? Fault::power_cut : Fault::process_crash);
  disk_.kill();
  stop();
  network_.stall(host_, 0);
  fuse_.clear();
  busy_until_ = 0;
  if (planned_ == Death::power_cut) {
    disk_.restart_after_power_cut();
  } else {
    disk_.restart_after_process_crash();
  }
  mend_flip();
  if (mutated(Mutation::no_dedup)) forget_sessions();
  const bool again = !forgiven_ && settings_.second_deaths && random_.chance(30);
  const bool at_effect = random_.chance(40);
  const Death next = random_.chance(50) ? Death::power_cut : Death::process_crash;
  const std::uint64_t count = random_.below(at_effect ? 16 : 30);
  skew_ms_ = !forgiven_ && random_.chance(15) ? random_.between(-20'000, 20'000) : random_.between(-400, 400);
  world_.after(random_.between(20, 4000), [this, again, at_effect, next, count] {
    if (again && !forgiven_) {
      if (at_effect) {
        die_at_effect(next, count);
      } else {
        die_at_operation(next, count);
      }
    }
    start();
  });
}

void SimNode::toggle(const Flip& flip) {
  std::fstream file(flip.path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(flip.at));
  const char byte = static_cast<char>(file.get() ^ (1 << flip.bit));
  file.seekp(static_cast<std::streamoff>(flip.at));
  file.put(byte);
}

void SimNode::mend_flip() {
  if (!flip_) return;
  toggle(*flip_);
  flip_.reset();
  world_.note(name() + ": its operator has put the damaged file right");
}

void SimNode::flip_bit(Prng& random) {
  if (!up() || flip_) return;
  // The newest may stand ready for the writer, the one before it may be written.
  std::vector<std::uint64_t> numbers = store::list_journal(config_.journal.folder);
  numbers.resize(numbers.size() > 2 ? numbers.size() - 2 : 0);
  std::erase_if(numbers, [&](std::uint64_t number) {
    const std::string path = store::journal_path(config_.journal.folder, number);
    return store::file_size(path + "-wal", "") != 0 || !disk_.at_rest(path);
  });
  if (numbers.empty()) return;
  const std::string path = store::journal_path(config_.journal.folder, random.pick(numbers));
  const Flip flip{path, random.below(std::filesystem::file_size(path)), static_cast<std::uint8_t>(random.below(8))};
  std::string failure;
  const Offset until = head();
  const auto before = read_all(until, failure);
  if (!failure.empty()) return world_.fail("promise 8: " + name() + " cannot read its journal: " + failure);
  toggle(flip);
  flip_ = flip;
  world_.fired(Fault::bit_flipped);
  world_.expect_alarm("journal_unreadable");
  world_.expect_alarm("feed_broken");
  world_.note(name() + ": a bit turns in " + std::filesystem::path(path).filename().string() + " at byte " +
              std::to_string(flip.at));
  judge_flip(before, flip, until);
  world_.after(random.between(300, 6000), [this] { have_mended(); });
}

// With the node stopped: SQLite keeps what it has read of a file that nobody writes.
void SimNode::have_mended() {
  if (!flip_) return;
  if (!up()) return mend_flip();
  stop();
  mend_flip();
  start();
}

// The mutation "early credit": it says so, and now and then the power goes in the very commit it did not wait for.
void SimNode::credit_early(const core::LinkId& link, const Message& message) {
  const auto* deliver = std::get_if<Deliver>(&message);
  if (deliver == nullptr) return;
  network_.send(links_.at(link), Credit{deliver->follow, 0, 0, deliver->next});
  if (!forgiven_ && random_.chance(40)) die_at_operation(Death::power_cut, 0);
}

// The mutation "no dedup".
void SimNode::forget_sessions() {
  for (const auto& entry : std::filesystem::directory_iterator(config_.journal.folder)) {
    if (entry.path().extension() != ".db") continue;
    sqlite3* db = nullptr;
    if (sqlite3_open_v2(entry.path().c_str(), &db, SQLITE_OPEN_READWRITE, disk_.name().c_str()) == SQLITE_OK) {
      sqlite3_exec(db, "DELETE FROM session; DELETE FROM answer;", nullptr, nullptr, nullptr);
    }
    sqlite3_close(db);
  }
}

}  // namespace lianxi::sim
