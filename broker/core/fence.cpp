#include "broker/core/fence.h"

#include <algorithm>
#include <utility>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kNamedMembers = 12;  // of those missing, in a reason
constexpr const char* kWhat = "fenced";

std::string names(const std::vector<std::pair<RegionCode, LaneMask>>& missing) {
  std::string text;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamedMembers); ++i)
    text += (i == 0 ? "" : ", ") + to_text(missing[i].first);
  if (missing.size() > kNamedMembers) text += " and " + std::to_string(missing.size() - kNamedMembers) + " more";
  return text;
}

}  // namespace

RestoreFence::RestoreFence(Epoch epoch, const std::optional<Fence>& kept, KindMemory& memory) {
  if (!kept || kept->epoch != epoch) return;
  fence_ = *kept;
  if (fence_->stands()) memory.fenced = epoch;
}

std::vector<std::pair<RegionCode, LaneMask>> RestoreFence::missing(const Members& members) const {
  std::vector<std::pair<RegionCode, LaneMask>> found;
  for (const auto& [region, lanes] : fence_->missing)
    if (lanes != 0 && members.active(region)) found.emplace_back(region, lanes);
  return found;
}

void RestoreFence::tick(StandingAlarms& standing, Turn& turn, const Members& members, RegionCode own, KindMemory& memory) {
  if (!fence_ || !fence_->stands() || !memory.fenced) return;
  if (fence_->state == Fence::State::begun) {
    fence_->state = Fence::State::waiting;
    fence_->since = turn.now;
    for (const Member& member : members.all())
      if (member.region != own && members.active(member.region)) fence_->missing.emplace_back(member.region, kAllLanes);
    changed_ = true;
  }
  if (missing(members).empty()) {
    memory.fenced.reset();
    return end(standing, turn, Fence::State::seen, "every member has shown what it holds of this region");
  }
  standing.raise(turn, kWhat, "", reason(members));
}

void RestoreFence::seen(RegionCode peer, LaneMask lanes) {
  if (!fence_ || !fence_->stands()) return;
  for (auto& [region, left] : fence_->missing) {
    if (region != peer || (left & lanes) == 0) continue;
    left = static_cast<LaneMask>(left & ~lanes);
    changed_ = true;
  }
}

std::string RestoreFence::reason(const Members& members) const {
  if (!fence_) return {};
  const std::string epoch = std::to_string(fence_->epoch.value);
  const std::string waits = fence_->state == Fence::State::begun
                                ? "the members have not shown what it holds of this region"
                                : names(missing(members)) + " has not shown what it holds of this region";
  return "since the restore (epoch " + epoch + ") " + waits +
         ", so what was promised before may not be known here; reconnect and publish "
         "again, or let an officer override, on record: lianxi override --reason \"...\"";
}

std::optional<FenceRow> RestoreFence::view(const Members& members) const {
  if (!fence_ || !fence_->stands()) return std::nullopt;
  FenceRow row{fence_->epoch, fence_->since, {}};
  for (const auto& [region, lanes] : missing(members)) row.missing.push_back(region);
  return row;
}

void RestoreFence::end(StandingAlarms& standing, Turn& turn, Fence::State how, const std::string& why) {
  fence_->state = how;
  fence_->since = turn.now;
  changed_ = true;
  standing.raise(turn, kWhat, "", why);  // one that was lifted before it was ever told
  standing.end(turn, kWhat, "", "commitments are taken again in epoch " + std::to_string(fence_->epoch.value) + ": " + why);
}

void RestoreFence::close_turn(StandingAlarms& standing, Turn& turn, const KindMemory& memory) {
  if (!fence_) return;
  if (fence_->stands() && !memory.fenced)
    end(standing, turn, Fence::State::overridden, "an officer has overridden: " + memory.override_reason);
  if (!std::exchange(changed_, false)) return;
  turn.effects.batch.fence = fence_;
}

}  // namespace lianxi::core
