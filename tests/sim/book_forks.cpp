// Copies of nodes that went on by themselves, and the histories that came of it.
#include <algorithm>
#include <cstdlib>

#include "tests/sim/book.h"

namespace lianxi::sim {
namespace {

constexpr const char* kOfForks[] = {"feed_forked", "quarantined", "quarantine_full", "claim_unproven"};
constexpr std::size_t kReports = 2;  // of those: they say that there are two histories

}  // namespace

Book::Hosts Book::bit_of(HostId host) {
  const std::size_t bit = bits_.try_emplace(host, bits_.size()).first->second;
  if (bit >= Hosts{}.size()) std::abort();
  return Hosts{1} << bit;
}

Book::Hosts Book::known_bit(HostId host) const {
  const auto bit = bits_.find(host);
  return bit == bits_.end() ? Hosts{} : Hosts{1} << bit->second;
}

bool Book::may_fork(const Place& place) const {
  const auto& [feed, sequence] = place;
  const auto of = branches_.find(feed.region);
  if (of == branches_.end()) return false;
  return std::any_of(of->second.begin(), of->second.end(), [&, f = &feed, s = sequence](const Branch& branch) {
    if (branch.epoch != f->epoch) return false;
    const auto head =
        std::find_if(branch.heads.begin(), branch.heads.end(), [&](const FeedPosition& position) { return position.feed == *f; });
    return head == branch.heads.end() || s > head->head.sequence;
  });
}

// Null: the place is taken by another, and no copy of the region's node explains that.
Book::Version* Book::version_at(const Place& place, const RecordView& record, const BodyHash& body, RegionCode by) {
  const auto [first, fresh] = history_.try_emplace(place, Version{record.hash, body, by});
  const auto is_it = [&](const Version& version) { return version.hash == record.hash && version.body == body; };
  if (fresh || is_it(first->second)) return &first->second;
  if (!may_fork(place)) return nullptr;
  std::vector<Version>& others = others_[place];
  const auto at = std::find_if(others.begin(), others.end(), is_it);
  if (at != others.end()) return &*at;
  if (forked_.insert(place.first).second) {
    world_.fired(Fault::fork_made);
    world_.note(lianxi::to_text(place.first) + " " + std::to_string(place.second.value) +
                " stands twice: " + lianxi::to_text(first->second.by) + " and " + lianxi::to_text(by));
  }
  return &others.emplace_back(Version{record.hash, body, by});
}

void Book::check_kept(RegionCode region, HostId host) {
  const Hosts bit = bit_of(host);
  const auto look = [&](const Place& place, Version& version) {
    if ((version.held & bit).any() && (version.seen & bit).none())
      world_.fail("promise 8: " + lianxi::to_text(region) + " held " + lianxi::to_text(place.first) + " " +
                  std::to_string(place.second.value) + ", and its journal does so no more");
    version.seen &= ~bit;
  };
  for (auto& [place, version] : history_) look(place, version);
  for (auto& [place, versions] : others_) {
    for (Version& version : versions) look(place, version);
  }
}

void Book::forget_disk(HostId host) {
  const Hosts bit = bit_of(host);
  for (auto& [place, version] : history_) version.held &= ~bit;
  for (auto& [place, versions] : others_) {
    for (Version& version : versions) version.held &= ~bit;
  }
}

void Book::branched(RegionCode region, Epoch epoch, FeedVector heads) {
  branches_[region].push_back({epoch, std::move(heads)});
  restored_.insert(region);  // what one of the copies said that it held, the other may lack
  for (const BodyHash& body : std::exchange(never_while_known_[region], {})) never_.erase(body);
}

void Book::cloned(HostId node, HostId clone, Offset kept) {
  heirs_[clone] = {node, kept};
}

void Book::gone(HostId host) {
  forget_disk(host);
  const auto of_it = [&](const auto& entry) { return entry.second.by == host; };
  world_.count("receipts of clones that are gone",
               static_cast<std::uint64_t>(std::count_if(answers_.begin(), answers_.end(), of_it)));
  std::erase_if(answers_, of_it);
  std::erase_if(former_, of_it);
}

void Book::alarmed(const std::string& what, const std::string& reason) {
  if (std::find(std::begin(kOfForks), std::begin(kOfForks) + kReports, what) != std::begin(kOfForks) + kReports)
    alarms_.insert(reason);
}

bool Book::explains(const std::string& what, const std::string& reason) const {
  if (std::find(std::begin(kOfForks), std::end(kOfForks), what) == std::end(kOfForks)) return false;
  return std::any_of(branches_.begin(), branches_.end(),
                     [&](const auto& entry) { return reason.find(lianxi::to_text(entry.first) + "/") != std::string::npos; });
}

bool Book::explains_finding(RegionCode region, const std::string& finding) const {
  const std::string its_feeds = lianxi::to_text(region) + "/";
  return finding.find("which stands already") != std::string::npos && branches_.contains(region) &&
         std::any_of(alarms_.begin(), alarms_.end(),
                     [&](const std::string& reason) { return reason.find(its_feeds) != std::string::npos; });
}

std::set<FeedId> Book::forks() const {
  std::set<FeedId> out;
  for (const auto& [place, versions] : others_) {
    const auto on_disk = [](const Version& version) { return version.held.any(); };
    const auto held = std::count_if(versions.begin(), versions.end(), on_disk) + (on_disk(history_.at(place)) ? 1 : 0);
    if (held > 1) out.insert(place.first);
  }
  return out;
}

std::set<FeedId> Book::silent_forks() const {
  std::set<FeedId> out = forks();
  std::erase_if(out, [&](const FeedId& feed) {
    if (feed.audience.is_local()) return true;  // nobody else holds it
    const std::string name = lianxi::to_text(feed) + " ";
    return std::any_of(alarms_.begin(), alarms_.end(),
                       [&](const std::string& reason) { return reason.find(name) != std::string::npos; });
  });
  return out;
}

bool Book::differ(const FeedId& feed, HostId one, HostId other) const {
  const Hosts a = known_bit(one), b = known_bit(other);
  for (auto at = others_.lower_bound({feed, Sequence{}}); at != others_.end() && at->first.first == feed; ++at) {
    const Version& first = history_.at(at->first);
    std::uint64_t by_a = 0, by_b = 0;  // which versions, by their number
    const auto note = [&](const Version& version, std::size_t number) {
      by_a |= (version.held & a).any() ? std::uint64_t{1} << number : 0;
      by_b |= (version.held & b).any() ? std::uint64_t{1} << number : 0;
    };
    note(first, 0);
    for (std::size_t i = 0; i < at->second.size(); ++i) note(at->second[i], i + 1);
    if (by_a != 0 && by_b != 0 && by_a != by_b) return true;
  }
  return false;
}

}  // namespace lianxi::sim
