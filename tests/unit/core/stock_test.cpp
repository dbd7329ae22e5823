// What the owner's node holds promises against loses what a retention lets go of, as the view does.
#include <gmock/gmock.h>

#include "broker/core/kinds/retention.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

constexpr std::int64_t kFirst = 1;

class StockTest : public testing::Test {
 protected:
  void say(ResourceChange change, std::int64_t quantity_milli, std::int64_t version, ResourceGroups keeps = {},
           ResourceState state = ResourceState::available) {
    ResourceView resource;
    resource.change = change;
    resource.type = ResourceType::supply;
    resource.quantity_milli = quantity_milli;
    resource.keeps = keeps;
    resource.state = state;
    memory.stock.remember(envelope(), resource, version);
  }
  static Envelope envelope() {
    Envelope envelope;
    envelope.kind = Kind::resource;
    envelope.entity = "330800:masks";
    envelope.audience = Audience::conference();
    return envelope;
  }
  void retain(Lane lane, std::uint64_t through) {
    const Event event =
        retention_event({Epoch(0), lane, {Sequence(through), Hash{7}}, Ordinal(through), kNoon, Sequence(9), Hash{8}});
    const Bytes bytes = encode_event(event);
    EventReader reader;
    ASSERT_TRUE(reader.read(bytes));
    remember_retention({reader, bytes, kQuzhou, 10, {}}, memory);
  }
  std::optional<StockRow> row() { return memory.stock.find("330800:masks", Status::Actual); }

  KindMemory memory;
};

TEST_F(StockTest, WhatIsKeptOfAnEventThatARetentionTookIsNothing) {
  say(ResourceChange::upsert, 5'000, kFirst, {}, ResourceState::out_of_service);
  say(ResourceChange::remove, 0, 2);
  retain(Lane::bulk, 2);
  EXPECT_FALSE(row());
  say(ResourceChange::upsert, 0, 11, {0x0F});
  ASSERT_TRUE(row());
  EXPECT_EQ(row()->quantity_milli, 0);
  EXPECT_EQ(row()->state(), ResourceState::available);
}

TEST_F(StockTest, ALaneLetsGoOfItsOwnAlone) {
  say(ResourceChange::upsert, 5'000, kFirst);
  say(ResourceChange::state, 0, 2, {}, ResourceState::out_of_service);
  retain(Lane::normal, 1);
  EXPECT_EQ(row()->state(), ResourceState::out_of_service) << "it is behind the cut";
  retain(Lane::flash, 9);
  EXPECT_EQ(row()->quantity_milli, 5'000);
  retain(Lane::normal, 2);
  EXPECT_EQ(row()->state(), ResourceState::available);
  EXPECT_EQ(row()->quantity_milli, 5'000);
}

TEST_F(StockTest, AnEarlierRetentionBringsNothingBack) {
  say(ResourceChange::upsert, 5'000, 3);
  retain(Lane::bulk, 4);
  retain(Lane::bulk, 1);
  EXPECT_FALSE(row());
}

}  // namespace
}  // namespace lianxi::core
