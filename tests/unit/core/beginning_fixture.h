// A member that joins late, and two that were there before it.
#pragma once

#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {

inline constexpr TimeMs kHealed = kPeerSilenceMs + 2 * kMaxReconnectMs;

// Nanping is cut off from the start: its disk is empty when it joins.
class BeginningTest : public LinksTest {
 protected:
  BeginningTest() {
    net.tamper = [this](RegionCode from, RegionCode to, Deliver& deliver) {
      if (forge && to == kNanping) forge(from, deliver);
      const auto segments = parse_segments(deliver.segments);
      if (!segments) return;
      for (const Segment& segment : *segments) {
        const FeedHead held = net.node(to).disk.heads[segment.info().feed];
        if (to == kNanping && segment.last().sequence > held.sequence) sent.insert(segment.info().first_sequence.value);
      }
    };
    for (const RegionCode other : {kQuzhou, kHuangshan}) net.cut(kNanping, other);
    for (const RegionCode region : {kQuzhou, kHuangshan}) open(region);
    net.pass(500);
    for (const char* text : {"一", "二", "三", "四"}) say(kQuzhou, text);
    net.pass(1'000);
  }
  static FeedId feed(RegionCode region = kQuzhou) { return {region, Epoch{1}, Lane::normal, Audience::conference()}; }
  // Quzhou lets go of what it said up to there.
  void retain(std::uint64_t through) {
    const Disk& disk = net.node(kQuzhou).disk;
    const RecordView cut = disk.record(feed(), Sequence{through});
    Retention retention{
        Epoch{1}, Lane::normal, {Sequence{through}, cut.hash}, cut.stamp.ordinal, kNoon, disk.heads.at(feed()).sequence, Hash{9}};
    if (lie) retention.through.hash = Hash{1};
    const Event event = retention_event(retention);
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(RetentionPlanned{Audience::conference(), retention})});
    const Hello hello{SessionId{7}, {}, {}, {}, false};
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(operator_agent(), hello)});
    const auto message = CoreRig::publish_message(7, Lane::normal, ++retained_, {event});
    ASSERT_THAT(lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(operator_agent(), message)}).sends),
                testing::ElementsAre(testing::HasSubstr(" ok ")));
    net.pass(1'000);
  }
  void join(std::initializer_list<RegionCode> peers) {
    for (const RegionCode peer : peers) net.mend(kNanping, peer);
    net.pass(kHealed);
  }
  std::uint64_t begins(RegionCode at = kNanping) {
    for (const FeedPosition& position : net.node(at).core.heads())
      if (position.feed == feed()) return position.begins.value;
    return 99;
  }
  std::uint64_t head(RegionCode at = kNanping) { return net.node(at).disk.heads[feed()].sequence.value; }

  std::function<void(RegionCode, Deliver&)> forge;
  std::set<std::uint64_t> sent;  // first sequences of what Nanping was given and did not hold
  bool lie = false;

 private:
  std::uint64_t retained_ = 0;
};

}  // namespace lianxi::core
