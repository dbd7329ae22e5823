// Properties over random interleavings: nothing accepted is lost or doubled, equal inputs give equal effects, nodes converge.
#include <gmock/gmock.h>

#include <random>

#include "tests/unit/core/link_rig.h"

namespace lianxi::core {
namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t n) {
  return random() % n;
}

// A client with its outbox: sends in order, repeats at random, and keeps the first answer to each sequence.
class Client {
 public:
  Client(Agent agent, std::uint64_t session) : agent_(std::move(agent)), session_(session) {}

  void write(Random& random) {
    const std::uint64_t n = outbox_.size() + 1;
    std::string text = agent_.id.text() + "/" + std::to_string(session_) + "/" + std::to_string(n);
    Event event = report(text, std::string(agent_.agency));
    if (below(random, 4) == 0) event.envelope.agency = "nobody";  // is refused, and consumes its sequence
    if (below(random, 3) == 0) event.envelope.audience = Audience::local();
    outbox_.push_back(std::move(event));
  }
  // A message from some sequence not answered yet, or one answered and not yet named, or beyond (a gap).
  [[nodiscard]] Publish message(Random& random) const {
    const std::uint64_t from = held_ + 1 + below(random, outbox_.size() - held_ + 1);
    const std::uint64_t count = 1 + below(random, 5);
    std::vector<Event> events;
    for (std::uint64_t s = from; s < from + count && s <= outbox_.size(); ++s) events.push_back(outbox_[s - 1]);
    return CoreRig::publish_message(session_, Lane::normal, from, events, held_);
  }
  void hear(const Effects& effects) {
    for (const Send& send : effects.sends) {
      const auto* answers = std::get_if<Answers>(&send.message);
      if (answers == nullptr || send.connection.routing != agent_.id.text() || answers->session.value != session_) continue;
      for (const std::string& line : lines_of({send})) {
        const std::uint64_t sequence = std::stoull(line);
        if (line.ends_with("retry") || sequence <= held_) continue;
        const auto [first, fresh] = answers_.emplace(sequence, line);
        EXPECT_EQ(first->second, line) << "a repeat got another answer";
      }
    }
  }
  void name_held(Random& random) {
    while (answers_.contains(held_ + 1) && below(random, 3) != 0) ++held_;
  }
  [[nodiscard]] bool done() const { return answers_.size() == outbox_.size(); }
  // Sequence of the first without an answer.
  [[nodiscard]] Publish rest() const {
    std::uint64_t from = 1;
    while (answers_.contains(from)) ++from;
    return CoreRig::publish_message(session_, Lane::normal, from,
                                    {outbox_.begin() + static_cast<std::ptrdiff_t>(from - 1), outbox_.end()}, held_);
  }
  [[nodiscard]] std::vector<std::string> accepted() const {
    std::vector<std::string> texts;
    for (const auto& [sequence, line] : answers_)
      if (line.find(" ok ") != std::string::npos) texts.push_back(std::get<IncidentReport>(outbox_[sequence - 1].body).text);
    return texts;
  }
  [[nodiscard]] const Agent& agent() const { return agent_; }
  [[nodiscard]] std::uint64_t session() const { return session_; }
  [[nodiscard]] std::size_t written() const { return outbox_.size(); }

 private:
  Agent agent_;
  std::uint64_t session_;
  std::uint64_t held_ = 0;
  std::vector<Event> outbox_;
  std::map<std::uint64_t, std::string> answers_;
};

class PublishProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PublishProperty, NoInterleavingOfRepeatsAndRestartsDoublesOrLosesAnything) {
  Random random(GetParam());
  CoreRig rig;
  std::vector<Client> clients{{police(), 1}, {police(), 2}, {fire(), 1}};
  for (const Client& client : clients) (void)rig.hello(client.agent(), client.session());
  for (int round = 0; round < 150; ++round) {
    rig.now += static_cast<TimeMs>(below(random, 50));
    if (below(random, 12) == 0) rig.restart();
    std::vector<Input> inputs;
    for (std::uint64_t i = 1 + below(random, 4); i > 0; --i) {
      Client& client = clients[below(random, clients.size())];
      if (below(random, 2) == 0) client.write(random);
      inputs.push_back(rig.says(client.agent(), client.message(random)));
    }
    if (below(random, 10) == 0) inputs.push_back(rig.input(DiskState{below(random, 2) == 0}));
    const Effects effects = rig.turn(std::move(inputs));
    for (Client& client : clients) {
      if (below(random, 5) == 0) continue;  // the answer was lost on the way
      client.hear(effects);
      client.name_held(random);
    }
  }
  (void)rig.step(DiskState{false});
  std::multiset<std::string> accepted;
  for (Client& client : clients) {
    for (int i = 0; i < 5 && !client.done(); ++i) client.hear(rig.turn({rig.says(client.agent(), client.rest())}));
    EXPECT_TRUE(client.done()) << "seed " << GetParam();
    for (const std::string& text : client.accepted()) accepted.insert(text);
  }
  const auto stored = words(rig.disk.events(kQuzhou));
  EXPECT_EQ(std::multiset<std::string>(stored.begin(), stored.end()), accepted) << "seed " << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Seeds, PublishProperty, testing::Range<std::uint64_t>(1, 61));

// Everything of the effects that leaves the core, in one string.
std::string told(const Effects& effects) {
  std::string all;
  const auto add = [&](BytesView bytes) { all += to_hex(bytes) + "\n"; };
  for (const StoredSegment& segment : effects.batch.segments) add(segment.bytes);
  for (const AnswerRun& run : effects.batch.answers) add(encode_answers(run.answers));
  for (const SessionRow& row : effects.batch.sessions)
    all += row.key.agent.text() + std::to_string(row.high_water.value) + "," + std::to_string(row.answered_through.value) + "\n";
  for (const Send& send : effects.sends) {
    all += send.connection.routing;
    add(encode(send.message).payload);
  }
  for (const LinkSend& send : effects.link_sends) {
    all += to_text(send.link.peer);
    add(encode(send.message).payload);
  }
  for (const DeliverOrder& order : effects.deliveries)
    all += order.connection.routing + std::to_string(order.follow.value) + "@" + std::to_string(order.from.value) + "\n";
  for (const Counted& counted : effects.counted) all += std::string(to_word(counted.code)) + "\n";
  return all;
}

TEST(Determinism, EqualInputsGiveEqualEffects) {
  const auto run = [] {
    std::string all;
    CoreRig rig;
    Random random(5);
    for (const Agent& agent : {police(), fire(), operator_agent()}) all += told(rig.hello(agent, 1));
    std::map<AgentId, std::uint64_t> sent;
    for (int round = 0; round < 100; ++round) {
      rig.now += static_cast<TimeMs>(below(random, 900));
      std::vector<Input> inputs{rig.input(Tick{})};
      for (const Agent& agent : {police(), fire(), operator_agent()}) {
        const Event event = report(std::to_string(round), std::string(agent.agency));
        inputs.push_back(rig.says(agent, CoreRig::publish_message(1, Lane::normal, ++sent[agent.id], {event, event})));
        ++sent[agent.id];
        Follow follow;
        follow.follow = SessionId{below(random, 40) + 1};
        follow.credit_bytes = 1U << 20U;
        follow.credit_messages = 5;
        inputs.push_back(rig.says(agent, follow));
      }
      const Effects effects = rig.turn(std::move(inputs));
      all += told(effects);
      (void)rig.serve(effects);
    }
    return all;
  };
  EXPECT_EQ(run(), run());
}

class ConvergenceProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ConvergenceProperty, AfterCutsAndRestartsAllNodesHoldTheSameFeeds) {
  Random random(GetParam());
  const std::vector<RegionCode> cities{kQuzhou, kHuangshan, kNanping, kShangrao};
  LinkRig net(cities);
  std::map<RegionCode, std::uint64_t> sent;
  const auto officer = [](RegionCode region) { return agent_named(to_text(region) + ".emergency.duty"); };
  for (const RegionCode city : cities) {
    Hello hello;
    hello.session = SessionId{1};
    (void)net.at(city, {net.node(city).says(officer(city), hello)});
  }
  for (int round = 0; round < 60; ++round) {
    const RegionCode a = cities[below(random, cities.size())];
    const RegionCode b = cities[below(random, cities.size())];
    switch (below(random, 8)) {
      case 0:
        if (a != b) net.cut(a, b);
        break;
      case 1:
        net.mend(a, b);
        break;
      case 2:
        net.restart(a);
        break;
      default: {
        const Event event = report(to_text(a) + "/" + std::to_string(sent[a] + 1), "emergency", a);
        (void)net.at(a, {net.node(a).says(officer(a), CoreRig::publish_message(1, Lane::normal, ++sent[a], {event}))});
      }
    }
    net.pass(static_cast<TimeMs>(100 * below(random, 30)));
  }
  for (const RegionCode a : cities)
    for (const RegionCode b : cities) net.mend(a, b);
  net.pass(30'000);
  for (const RegionCode city : cities) {
    EXPECT_EQ(net.node(city).core.heads(), net.node(kQuzhou).core.heads()) << to_text(city) << " seed " << GetParam();
    for (const RegionCode of : cities) EXPECT_EQ(net.node(city).disk.events(of).size(), sent[of]) << "seed " << GetParam();
  }
  EXPECT_TRUE(net.alarms.empty()) << net.alarms.front() << " seed " << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Seeds, ConvergenceProperty, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace lianxi::core
