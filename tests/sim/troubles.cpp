#include "tests/sim/troubles.h"

#include <algorithm>

#include "tests/sim/rights.h"

namespace lianxi::sim {
namespace {

std::string seconds(TimeMs ms) {
  const std::string tenths = std::to_string(ms / 100 % 10);
  return std::to_string(ms / 1000) + "." + tenths + " s";
}

Death draw_death(Prng& random) {
  return random.chance(50) ? Death::power_cut : Death::process_crash;
}
std::string word_of(Death how) {
  return how == Death::power_cut ? "power cut" : "process crash";
}

}  // namespace

void Troubles::note(const std::string& what) {
  world_.note("#" + std::to_string(number_) + " " + what);
}

void Troubles::perform(const Step& step) {
  Prng random(step.seed);
  number_ = step.number;
  switch (step.what) {
    case Trouble::death:
      return death(random);
    case Trouble::cut:
      return cut(random);
    case Trouble::hold_up:
      return hold_up(random);
    case Trouble::outage:
      return outage();
    case Trouble::headroom:
      return headroom(random);
    case Trouble::slow_disk:
      return slow_disk(random);
    case Trouble::disk_error:
      return disk_error(random);
    case Trouble::clock:
      return clock(random);
    case Trouble::rights:
      return rights(random);
    case Trouble::outbox:
      return outbox(random);
    case Trouble::bit_flip:
      return node(random).flip_bit(random);
    case Trouble::lies:
      return lies(random);
    case Trouble::restore:
      return restore(random);
    case Trouble::roll_back:
      return roll_back(random);
    case Trouble::clone: {
      SimNode& at = node(random);
      note(to_text(at.region()) + " is to have a clone");
      return clones_.begin(at, random);
    }
    case Trouble::join_late:  // brought about before the nodes start
      return;
    case Trouble::retire:
      return memberships_.retire(random);
    case Trouble::retain:
      return node(random).retain(random);
  }
}

void Troubles::death(Prng& random) {
  SimNode& at = node(random);
  const Death how = draw_death(random);
  if (!at.up()) return;
  const std::string who = to_text(at.region()) + " is to die (" + word_of(how) + ")";
  if (random.chance(25)) {
    note(who + " now");
    at.die(how);
  } else if (random.chance(60)) {
    const std::uint64_t operations = random.below(40);
    note(who + " at change " + std::to_string(operations) + " of its disk");
    at.die_at_operation(how, operations);
  } else {
    const std::uint64_t effects = random.below(20);
    note(who + " when " + std::to_string(effects) + " more effects have left");
    at.die_at_effect(how, effects);
  }
}

void Troubles::cut(Prng& random) {
  std::vector<std::pair<HostId, HostId>> cuts;
  const HostId a = static_cast<HostId>(random.below(hosts()));
  const TimeMs lasts = random.between(500, 9000);
  if (random.chance(25)) {
    for (HostId other = 0; other < hosts(); ++other) {
      if (other != a) cuts.insert(cuts.end(), {{a, other}, {other, a}});
    }
    world_.fired(Fault::island);
    note(network_.name_of(a) + " is an island for " + seconds(lasts));
  } else {
    HostId b = static_cast<HostId>(random.below(random.chance(60) ? nodes_.size() : hosts()));
    if (a == b) b = (b + 1) % hosts();
    cuts.push_back({a, b});
    const bool both = random.chance(50);
    if (both) cuts.push_back({b, a});
    world_.fired(both ? Fault::cut_both_ways : Fault::cut_one_way);
    note(network_.name_of(a) + (both ? " and " : " to ") + network_.name_of(b) + ": cut for " + seconds(lasts));
  }
  for (const auto& [from, to] : cuts) network_.cut(from, to);
  world_.after(lasts, [this, cuts] {
    for (const auto& [from, to] : cuts) network_.heal(from, to);
  });
}

void Troubles::hold_up(Prng& random) {
  const HostId from = static_cast<HostId>(random.below(hosts()));
  const HostId to = static_cast<HostId>(random.below(nodes_.size()));
  const TimeMs lasts = random.between(300, 4000);
  note("one connection of " + network_.name_of(from) + " to " + network_.name_of(to) + " is held up for " + seconds(lasts));
  network_.hold_up(from, to, lasts, random);
}

void Troubles::outage() {
  note("the power fails everywhere");
  world_.fired(Fault::outage);
  for (const auto& node : nodes_) node->die(Death::power_cut);
}

void Troubles::headroom(Prng& random) {
  SimNode& at = node(random);
  if (!at.up()) return;
  const TimeMs lasts = random.between(500, 4000);
  note("the disk of " + to_text(at.region()) + " is below its headroom for " + seconds(lasts));
  world_.fired(Fault::headroom);
  at.lack_disk(true);
  world_.after(lasts, [&at] { at.lack_disk(false); });
}

void Troubles::slow_disk(Prng& random) {
  SimNode& at = node(random);
  const TimeMs each = random.between(20, 900), lasts = random.between(1000, 8000);
  note("each commit of " + to_text(at.region()) + " takes up to " + std::to_string(each) + " ms for " + seconds(lasts));
  at.slow_disk(each, world_.now() + lasts);
}

void Troubles::disk_error(Prng& random) {
  SimNode& at = node(random);
  if (!at.up()) return;
  const auto error = static_cast<SimDisk::Error>(random.below(3));
  const std::uint64_t after = random.below(error == SimDisk::Error::sync ? 6 : 40);
  const std::uint64_t more = error == SimDisk::Error::no_space ? random.below(60) : random.below(3);
  constexpr const char* kWords[] = {"write finds no space", "write fails", "sync fails"};
  note(to_text(at.region()) + ": after " + std::to_string(after) + " more, a " + kWords[static_cast<std::size_t>(error)]);
  at.fail_disk(error, after, more);
}

void Troubles::clock(Prng& random) {
  SimNode& at = node(random);
  const TimeMs far = random.chance(60) ? 20'000 : 900'000;
  const TimeMs by = random.between(1, far) * (random.chance(50) ? 1 : -1);
  note("the clock of " + to_text(at.region()) + " is set by " + std::to_string(by) + " ms");
  at.jump_clock(by);
}

void Troubles::rights(Prng& random) {
  SimNode& at = node(random);
  const Rights drawn = draw_rights(random);
  note("the rights at " + to_text(at.region()) + " change: " + drawn.text());
  world_.fired(drawn.whole() ? Fault::rights_widened : Fault::rights_narrowed);
  at.set_policy(make_policy(drawn));
  if (drawn.whole()) return;
  narrowed_.push_back(&at);
  world_.after(random.between(300, 7000), [this, &at] {
    world_.note("the rights at " + to_text(at.region()) + " are as before");
    world_.fired(Fault::rights_widened);
    at.set_policy(make_policy({}));
  });
}

void Troubles::outbox(Prng& random) {
  SimAgent& agent = *random.pick(agents_);
  if (random.chance(40)) {
    agent.lose_outbox();
  } else {
    agent.restore_outbox();
  }
}

void Troubles::lies(Prng& random) {
  const HostId from = static_cast<HostId>(random.below(nodes_.size()));
  const HostId to = static_cast<HostId>(random.below(nodes_.size()));
  if (from == to) return;
  note("the next delivery of " + network_.name_of(from) + " to " + network_.name_of(to) + " is falsified");
  network_.lie(from, to, 1);
}

void Troubles::isolate(const SimNode& node, TimeMs lasts) {
  const auto at = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& one) { return one.get() == &node; });
  const auto self = static_cast<HostId>(at - nodes_.begin());
  const auto each = [this, self](const auto& what) {
    for (HostId other = 0; other < nodes_.size(); ++other) {
      if (other != self) what(self, other), what(other, self);
    }
  };
  each([this](HostId from, HostId to) { network_.cut(from, to); });
  world_.after(lasts, [this, each] { each([this](HostId from, HostId to) { network_.heal(from, to); }); });
}

void Troubles::restore(Prng& random) {
  SimNode& at = node(random);
  const TimeMs later = random.between(300, 12'000), lasts = random.between(1000, 9000);
  const bool cut_off = random.chance(50);
  if (!at.back_up()) return;
  note(to_text(at.region()) + " is to be restored from this backup in " + seconds(later));
  world_.after(later, [this, &at, lasts, cut_off] {
    if (!at.restore()) return;
    world_.fired(cut_off ? Fault::restored_cut_off : Fault::restored);
    if (cut_off) isolate(at, lasts);
  });
}

void Troubles::roll_back(Prng& random) {
  SimNode& at = node(random);
  const TimeMs later = random.between(300, 10'000), lasts = random.between(1000, 9000);
  const bool cut_off = random.chance(60);
  if (!at.copy_disk()) return;
  note("the disk of " + to_text(at.region()) + " is copied as it stands; the copy takes its place in " + seconds(later));
  world_.after(later, [this, &at, lasts, cut_off] {
    if (!at.roll_back()) return;
    clones_.watch();
    if (cut_off) isolate(at, lasts);
  });
}

void Troubles::calm() {
  network_.calm();
  clones_.calm();
  for (const auto& node : nodes_) node->forgive();
  for (SimNode* node : narrowed_) node->set_policy(make_policy({}));
  for (const auto& agent : agents_) agent->behave();
  // Where the clock says that a membership is still to begin, nothing would come to rest before it does.
  if (memberships_.dated()) {
    for (const auto& node : nodes_) node->put_clock_right();
  }
}

}  // namespace lianxi::sim
