#include "tests/sim/rights.h"

namespace lianxi::sim {
namespace {

constexpr const char* kAgencies[] = {"police", "fire", "emergency"};
constexpr const char* kWords[] = {"all", "alerts", "nothing"};

void add(std::vector<core::Rule>& rules, Rights::Share share, core::Rule rule) {
  if (share == Rights::Share::nothing) return;
  if (share == Rights::Share::alerts) rule.kinds.push_back(Kind::alert);
  rules.push_back(std::move(rule));
}

}  // namespace

std::string Rights::text() const {
  std::string out = "guests may follow " + std::string(kWords[static_cast<std::size_t>(guests)]);
  if (!agency.empty()) out += ", " + agency + " may publish " + kWords[static_cast<std::size_t>(publish)];
  return out;
}

Rights draw_rights(Prng& random) {
  Rights out;
  out.agency = kAgencies[random.below(std::size(kAgencies))];
  out.publish = static_cast<Rights::Share>(random.below(3));
  out.guests = static_cast<Rights::Share>(random.below(3));
  return out;
}

std::shared_ptr<const core::Policy> make_policy(const Rights& rights) {
  core::Rule real_places;
  for (const char* province : {"33", "34", "35", "36"}) real_places.places.push_back(*PlaceCode::parse(province));
  std::vector<core::Grant> grants;
  for (const char* agency : kAgencies) {
    core::Grant& grant = grants.emplace_back();
    grant.agents = std::string("*.") + agency + ".*";
    grant.follow.push_back({});
    add(grant.publish, agency == rights.agency ? rights.publish : Rights::Share::all, real_places);
  }
  core::Grant& guest = grants.emplace_back();
  guest.agents = "*.guest.*";
  add(guest.follow, rights.guests, {});
  core::Grant& peer = grants.emplace_back();
  peer.agents = "*.broker.*";
  peer.follow.push_back({});
  return std::make_shared<const core::Policy>(grants);
}

}  // namespace lianxi::sim
