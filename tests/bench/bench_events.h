// Events of the store's benchmarks.
#pragma once

#include <random>

#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {

// A rescue team somewhere in the four provinces; every eighth can do hazmat.
inline Event team(std::mt19937& random, int number) {
  std::uniform_real_distribution<double> lon(116.5, 120.5), lat(26.5, 30.5);
  Event event = resource_event(
      {.name = "qz-" + std::to_string(100'000 + number),
       .type = static_cast<ResourceType>(number % 6),
       .location = LonLat{lon(random), lat(random)},
       .capabilities = number % 8 == 0 ? std::vector<std::string>{"hazmat", "rescue"} : std::vector<std::string>{"rescue"}});
  auto& resource = std::get<Resource>(event.body);
  resource.name = "衢州市危险化学品应急救援队 " + std::to_string(number);
  resource.owner = "衢州市应急管理局";
  resource.address = "衢江区樟潭街道某某路 18 号";
  resource.contact = "王某某";
  resource.phone = "0570-1234567";
  return event;
}

}  // namespace lianxi::store::test
