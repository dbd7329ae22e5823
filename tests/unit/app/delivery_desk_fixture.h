// A delivery desk over commits of one region, and what left it.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/app/desk_kit.h"

namespace lianxi::app {

// What left, in order; says `full`, and that a flash event waits, when it is told to.
class Recorder final : public Outlet {
 public:
  struct Sent {
    std::string to;
    DeliveryHead head;
    std::shared_ptr<const Bytes> segments;
  };
  SendResult answer(const core::Connection&, const Message&) override { return SendResult::sent; }
  SendResult deliver(const core::Connection& to, const DeliveryHead& head,
                     const std::shared_ptr<const Bytes>& segments) override {
    if (full.contains(to.routing)) return SendResult::full;
    sent.push_back({to.routing, head, segments});
    return SendResult::sent;
  }
  [[nodiscard]] bool is_flash(const core::Connection& to) const override { return to.socket == 0; }
  [[nodiscard]] bool flash_waits() override { return sent.size() >= flash_after; }

  std::vector<Sent> sent;
  std::set<std::string> full;
  std::size_t flash_after = static_cast<std::size_t>(-1);
};

// Its results may be held back until they are let go.
class HeldReads final : public ColdReads {
 public:
  HeldReads(std::unique_ptr<store::JournalReader> journal, const bool& hold) : inner_(std::move(journal)), hold_(hold) {}
  void ask(ColdJob job) override { inner_.ask(std::move(job)); }
  std::optional<ColdResult> take() override { return hold_ ? std::nullopt : inner_.take(); }
  [[nodiscard]] bool done() const override { return !hold_ && inner_.done(); }

 private:
  InlineColdReads inner_;
  const bool& hold_;
};

class DeliveryDeskTest : public ::testing::Test {
 protected:
  DeliveryDeskTest()
      : desk_(std::make_unique<HeldReads>(std::make_unique<test::Reader>(commits_.segments, reads_), hold_),
              [this](const core::Connection& connection, SessionId) { return !closed_.contains(connection.routing); }) {
    core::Member quzhou;
    quzhou.region = test::kQuzhou;
    members_ = std::make_shared<const core::Members>(std::vector{quzhou}, std::vector<core::Group>{});
    allow({});
  }
  void allow(const core::Rule& rule) {
    core::Grant grant;
    grant.agents = "*.*.*";
    grant.follow.push_back(rule);
    desk_.rights(std::make_shared<const core::Policy>(std::vector{grant}), members_);
  }
  // One commit of `count` events; in memory if `recent`.
  void commit(std::size_t count, std::size_t bytes = 100, const std::string& place = "330802", Lane lane = Lane::normal,
              bool recent = true) {
    const SharedSegment& made = commits_.add(count, lane, [&](std::uint64_t n) { return test::report(n, place, bytes); });
    if (recent) desk_.remember(made);
  }
  static std::shared_ptr<core::FollowSpec> spec(const std::string& agent = "330800.police.b") {
    auto out = std::make_shared<core::FollowSpec>();
    out->agent = {*AgentId::parse(agent), "police", core::Role::agent};
    return out;
  }
  core::DeliverOrder order(const std::string& to, std::shared_ptr<const core::FollowSpec> what, Offset from = Offset(1)) {
    return commits_.order(to, std::move(what), from);
  }
  // A turn's deliveries.
  std::vector<DeliveryDesk::Done> perform(std::vector<core::DeliverOrder> orders) {
    desk_.take(std::move(orders), outlet_, [this] {
      FeedVector all;
      for (const auto& [feed, head] : commits_.heads) all.push_back({feed, head});
      return all;
    });
    std::size_t steps = 1000;
    (void)desk_.say_flash(outlet_, steps);
    std::size_t unbroken = 0;
    broke_ = !desk_.say_others(outlet_, steps, unbroken);
    return desk_.take_done();
  }
  std::vector<std::uint64_t> offsets(const std::string& to) const {
    std::vector<std::uint64_t> out;
    for (const Recorder::Sent& sent : outlet_.sent) {
      if (sent.to != to) continue;
      const auto segments = parse_segments(*sent.segments);
      for (const Segment& segment : *segments)
        for (std::size_t i = 0; i < segment.records().size(); ++i) out.push_back(segment.info().first_offset.value + i);
    }
    return out;
  }
  std::vector<std::uint64_t> all() const {
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 1; i < commits_.next.value; ++i) out.push_back(i);
    return out;
  }

  test::Commits commits_;
  int reads_ = 0;
  bool hold_ = false;
  bool broke_ = false;
  std::set<std::string> closed_;
  std::shared_ptr<const core::Members> members_;
  Recorder outlet_;
  DeliveryDesk desk_;
};

}  // namespace lianxi::app
