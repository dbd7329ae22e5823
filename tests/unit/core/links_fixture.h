// Nodes that follow each other, and an officer at each who publishes.
#pragma once

#include "tests/unit/core/link_rig.h"

namespace lianxi::core {

class LinksTest : public testing::Test {
 protected:
  void open(RegionCode region, std::uint64_t session = 1) {
    Hello hello;
    hello.session = SessionId{session};
    (void)net.at(region, {net.node(region).says(officer(region), hello)});
  }
  void say(RegionCode region, const std::string& text, const Audience& whom = Audience::conference()) {
    const auto message =
        CoreRig::publish_message(1, Lane::normal, ++sent_[{region, Lane::normal}], {to(report(text, "emergency", region), whom)});
    last = net.at(region, {net.node(region).says(officer(region), message)});
  }
  void warn(RegionCode region, const std::string& identifier) {
    const auto message =
        CoreRig::publish_message(1, Lane::flash, ++sent_[{region, Lane::flash}], {alert(identifier, identifier, region)});
    last = net.at(region, {net.node(region).says(officer(region), message)});
  }
  static Agent officer(RegionCode region) { return agent_named(to_text(region) + ".emergency.duty", Role::operator_); }
  std::vector<std::string> held(RegionCode at, RegionCode of) { return words(net.node(at).disk.events(of)); }

  std::shared_ptr<const Members> members = four_cities({Group{audience("qu-huang"), {kQuzhou, kHuangshan}}});
  LinkRig net{{kQuzhou, kHuangshan, kNanping}, members};
  Effects last;

 private:
  std::map<std::pair<RegionCode, Lane>, std::uint64_t> sent_;
};

}  // namespace lianxi::core
