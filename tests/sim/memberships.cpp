#include "tests/sim/memberships.h"

#include <algorithm>

namespace lianxi::sim {
namespace {

constexpr TimeMs kApartMs = 6'000;   // at most, between the first node that has a file and the last
constexpr std::size_t kInGroup = 2;  // the first so many nodes are the group of the run, whose set is fixed

}  // namespace

Memberships::File Memberships::file(std::vector<core::Member> members) {
  return std::make_shared<const core::Members>(std::move(members), groups_, MembersVersion(++version_));
}

void Memberships::begin(std::vector<core::Member> members, std::vector<core::Group> groups) {
  groups_ = std::move(groups);
  all_ = file(std::move(members));
}

bool Memberships::dated() const {
  return std::any_of(all_->all().begin(), all_->all().end(),
                     [](const core::Member& member) { return member.window.since.has_value(); });
}

void Memberships::change(SimNode& node, TimeMs delay, const File& file) {
  ++under_way_;
  world_.after(delay, [this, &node, file] {
    --under_way_;
    world_.fired(Fault::members_file_changed);
    world_.note(to_text(node.region()) + " has members file " + to_text(file->version()));
    node.set_members(file);
  });
}

void Memberships::join_late(TimeMs at_ms, Prng& random) {
  if (nodes_.size() <= kInGroup) return;
  const auto which = kInGroup + static_cast<std::size_t>(random.below(nodes_.size() - kInGroup));
  SimNode& joiner = *nodes_[which];
  std::vector<core::Member> members = all_->all();
  if (random.chance(60)) {
    members[which].window.since = world_.now() + at_ms + random.between(-5'000, 5'000);
    world_.expect_alarm("not_allowed");  // with its clock set back it is no member yet, and is sent what it may not hold
  }
  std::vector<core::Member> others = members;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(which));
  const File before = file(std::move(others));
  const File with = file(std::move(members));
  for (const auto& node : nodes_) {
    node->set_members(node.get() == &joiner ? with : before);
    if (node.get() != &joiner) change(*node, std::max<TimeMs>(0, at_ms + random.between(-kApartMs / 2, kApartMs)), with);
  }
  late_ = &joiner;
  all_ = with;
  ++under_way_;
  world_.after(at_ms, [this, &joiner] {
    --under_way_;
    world_.note(to_text(joiner.region()) + " joins, with an empty disk");
    world_.fired(Fault::member_joined_late);
    joiner.start();
  });
}

void Memberships::retire(Prng& random) {
  if (!settled()) return;
  const auto which = static_cast<std::size_t>(random.below(nodes_.size()));
  const TimeMs again = random.between(2 * kApartMs, 4 * kApartMs);
  std::vector<core::Member> without = all_->all(), back = without;
  without[which].window.until = world_.now() + random.between(-3'000, 6'000);
  if (random.chance(50)) back[which].window.since = world_.now() + again + random.between(-3'000, 5'000);
  world_.note(to_text(nodes_[which]->region()) + " is to retire, and to be added again");
  const File gone = file(std::move(without)), added = file(std::move(back));
  for (const auto& node : nodes_) {
    const TimeMs first = random.between(0, kApartMs), second = again + random.between(0, kApartMs);
    if (random.chance(80)) change(*node, first, gone);
    change(*node, second, added);
  }
  world_.fired(Fault::member_retired);
  world_.after(again, [this] { world_.fired(Fault::member_added_again); });
  // It goes on where it does not know that it has gone, and others know.
  world_.expect_alarm("not_allowed");
  world_.expect_alarm("feed_ended");
  world_.expect_alarm("feed_ended_over");
  all_ = added;
}

}  // namespace lianxi::sim
