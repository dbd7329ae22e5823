// What every handler stands on: who this node is, what it may, and where its feeds are.
#pragma once

#include "broker/core/broker_core.h"
#include "broker/core/clock_watch.h"
#include "broker/core/durability.h"
#include "broker/core/fence.h"
#include "broker/core/forks.h"
#include "broker/core/kinds/registry.h"
#include "broker/core/sequencer.h"

namespace lianxi::core {

struct Ground {
  CoreConfig config;
  Sequencer sequencer;
  Forks forks;
  Durability durability;
  KindMemory memory;
  RestoreFence fence;  // behind what it sets
  StandingAlarms standing;
  ClockWatch clocks;
  std::map<FeedId, RetainedFeed> retained;  // where feeds may begin for who holds nothing of them
  bool disk_low = false;
  bool former_shown = false;  // every member has shown what it holds of this region's former epochs

  [[nodiscard]] RegionCode region() const { return config.region; }
  [[nodiscard]] const Policy& policy() const { return *config.policy; }
  [[nodiscard]] const Members& members() const { return *config.members; }
};

}  // namespace lianxi::core
