// What simulated agents publish: alerts with their updates and cancellations, reports of incidents that several regions
// share, resources that come, change and go; and things that must be refused.
#pragma once

#include <string>
#include <vector>

#include "schemas/event.h"
#include "tests/sim/race.h"
#include "tests/sim/world.h"

namespace lianxi::sim {

class Story {
 public:
  Story(World& world, std::vector<RegionCode> regions, bool races)
      : world_(world),
        random_(world.random().fork()),
        regions_(std::move(regions)),
        races_(races),
        race_(world, races ? random_.fork() : Prng(0)) {}

  // The next event of an agent; every one is different from all before.
  [[nodiscard]] Event next(RegionCode home, const std::string& agency);
  // Bytes that a node refuses and yet counts: damaged, out of the publisher's rights, another region's to decide, a
  // triple with other content.
  [[nodiscard]] Bytes bad(RegionCode home, const std::string& agency, Lane& lane);
  [[nodiscard]] Race& race() { return race_; }

 private:
  [[nodiscard]] Event alert(Envelope envelope, RegionCode home);
  [[nodiscard]] Event report(Envelope envelope, RegionCode home);
  [[nodiscard]] Event resource(Envelope envelope, RegionCode home);
  [[nodiscard]] Envelope envelope(RegionCode home, const std::string& agency);

  World& world_;
  Prng random_;
  std::vector<RegionCode> regions_;
  bool races_;
  Race race_;
  std::uint64_t serial_ = 0;
  std::vector<std::pair<RegionCode, AlertReference>> alerts_;
};

}  // namespace lianxi::sim
