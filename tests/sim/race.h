// Who asks whom for help, and who promises it: every region owns two supplies that all the others want at once. What is said
// follows from what the region's own node shows, as a person's next step does; whether it is right is the node's to say.
#pragma once

#include <functional>
#include <map>

#include "schemas/queries.h"
#include "tests/sim/world.h"

namespace lianxi::sim {

inline constexpr const char* kRaceSupply = "race-";  // local names of the supplies

class Race {
 public:
  // What is open, as the region's node shows it; nothing while it is down.
  using Look = std::function<std::vector<MobilisationRow>(RegionCode)>;
  Race(World& world, Prng random) : world_(world), random_(random) {}
  void look_with(Look look) { look_ = std::move(look); }

  [[nodiscard]] Event next(Envelope about, RegionCode own);
  // What the region must still say so that everything it began or promised comes to its end.
  [[nodiscard]] std::vector<Event> to_finish(RegionCode own, const std::string& agency);
  // Where a copy of a node has promised in a history that its node does not hold, that stays open, and is nobody's duty.
  [[nodiscard]] bool has_duties(RegionCode own) const;

 private:
  struct Words {
    ResourceMessage message{};
    std::string resource = {}, item = {};
    std::int64_t quantity = 0;
    std::optional<Response> response = {};
    Deployment deployment{};
    std::optional<TimeMs> until = {};
    std::string recalled = {};
  };
  [[nodiscard]] Event stock(Envelope about, RegionCode own);
  [[nodiscard]] Event begin(Envelope about, RegionCode own);
  [[nodiscard]] Event answer(const MobilisationRow& row, RegionCode own, const std::string& agency);
  [[nodiscard]] Event go_on(const MobilisationRow& row, const HoldingRow& holding, RegionCode own, const std::string& agency);
  [[nodiscard]] Event ask_for(const MobilisationRow& row, const HoldingRow& holding, RegionCode own, const std::string& agency);
  [[nodiscard]] Event say(const MobilisationRow& row, RegionCode own, const std::string& agency, const Words& words);
  [[nodiscard]] std::vector<MobilisationRow> open(RegionCode own) const;
  [[nodiscard]] std::string supply() { return kRaceSupply + std::to_string(random_.below(2)); }

  World& world_;
  Prng random_;
  Look look_;
  std::map<RegionCode, std::size_t> stocked_;
  std::uint64_t serial_ = 0;
};

}  // namespace lianxi::sim
