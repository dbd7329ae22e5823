// What no peer may do to a node: each test floods a real broker, measures its peak memory, and then asks it to serve an honest
// agent. Floods come in waves, and between two waves the node has looked at its connections: what its I/O threads take in while
// a loaded machine does not let it look is not its own doing. LIANXI_HOSTILE_SCALE (1 by default) makes the floods so many times
// larger.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <thread>

#include "schemas/codec/segment.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/wire_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kHere = "330800";
constexpr std::size_t kMegabyte = 1024 * 1024;
constexpr std::size_t kMaxPeakKb = 256 * 1024;

std::size_t scale() {
  const char* text = std::getenv("LIANXI_HOSTILE_SCALE");
  return text == nullptr ? 1 : std::max<std::size_t>(1, std::strtoul(text, nullptr, 10));
}

std::string text_of(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

bool say(WireClient& client, const Message& message) {
  const Frames frames = encode(message);
  return client.send_message(text_of(frames.header), text_of(frames.payload));
}

Follow follow_all(std::uint64_t id) {
  Follow follow;
  follow.follow = SessionId(id);
  follow.credit_bytes = ~0ULL;
  follow.credit_messages = ~0U;
  return follow;
}

class HostileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cities.start(kHere)) << city().process->output(); }
  City& city() { return cities.city(kHere); }
  const Keys& fire() { return city().agents.at("fire"); }

  std::size_t memory_kb(const std::string& what) {
    const std::string status = read_text("/proc/" + std::to_string(city().process->pid()) + "/status");
    const auto at = status.find(what + ":");
    return at == std::string::npos ? ~std::size_t{0} : std::strtoul(status.c_str() + at + what.size() + 1, nullptr, 10);
  }
  std::size_t descriptors() {
    const std::filesystem::directory_iterator folder("/proc/" + std::to_string(city().process->pid()) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
  }
  double cut(const std::string& reason) {
    return std::max(0.0, cities.metric(kHere, "lianxi_connections_cut_by_reason_total{reason=\"" + reason + "\"}"));
  }
  void TearDown() override {
    if (!HasFailure()) return;
    std::printf("%s\n%s\n", cities.get(kHere, "/metrics").c_str(), city().process->output().c_str());
  }
  // Until the node has looked twice at the connections of `data` and `query`. Each thread looks every 100 ms, before it takes
  // messages: whoever is answered when that time has passed was answered behind a look.
  void let_it_look() {
    for (int looks = 0; looks < 2; ++looks) {
      const auto begun = std::chrono::steady_clock::now();
      for (bool late = false; !late;) {
        late = std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(100);
        ASSERT_TRUE(Publisher(city(), "police", SessionId(8'000)).connect());
        ASSERT_TRUE(status_of(city()));
      }
    }
  }
  // An honest agent publishes and is answered; another is told the status.
  void expect_served() {
    EXPECT_LT(memory_kb("VmHWM"), kMaxPeakKb) << "peak, kB";
    RecordProperty("peak_kb", static_cast<int>(memory_kb("VmHWM")));
    std::printf("  peak %zu MiB\n", memory_kb("VmHWM") / 1024);
    Publisher police(city(), "police", SessionId(9'000 + ++served_));
    ASSERT_TRUE(police.connect()) << city().process->output();
    police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "police", 1'000'000 + served_)});
    const auto answers = police.answers();
    ASSERT_TRUE(answers);
    EXPECT_EQ(answers->receipts.size(), 1U);
    EXPECT_TRUE(status_of(city()));
  }

  Cities cities{{kHere}};
  std::uint64_t served_ = 0;
};

TEST_F(HostileTest, MessagesWithoutEndOnManyConnectionsAreCut) {
  std::vector<WireClient> clients;
  for (const char* endpoint : {"data", "data", "data", "data", "flash", "flash", "follow", "query"})
    ASSERT_TRUE(clients.emplace_back().open(city(), endpoint, fire()));
  const std::string part(32 * 1024, 'x');
  constexpr std::size_t kWave = 4 * kMegabyte;  // of each: twice what one may send without a message
  std::size_t sent = 0;
  const auto flood = [&](WireClient& client) {
    for (std::size_t wave = 0; wave < kWave && client.is_open(); wave += part.size()) {
      // Whoever is cut with a full window may never be told: it takes that for the end.
      if (!client.send(client.frame(part, true))) client.close();
      sent += part.size();
    }
  };
  const std::size_t enough = scale() * 1024 * kMegabyte;
  while (sent < enough && std::any_of(clients.begin(), clients.end(), [](const auto& c) { return c.is_open(); })) {
    for (WireClient& client : clients) flood(client);
    let_it_look();
  }
  EXPECT_TRUE(std::none_of(clients.begin(), clients.end(), [](const auto& c) { return c.is_open(); }));
  EXPECT_TRUE(eventually([&] { return cut("endless") + cut("waiting") > 0; }));
  expect_served();
}

TEST_F(HostileTest, AFloodOfPartsIsCutAndMemoryStaysBounded) {
  constexpr std::size_t kWave = 16 * kMegabyte;
  const std::size_t enough = scale() * 400 * kMegabyte;
  const std::string part(kMegabyte, 'x');
  WireClient hostile;
  ASSERT_TRUE(hostile.open(city(), "data", fire()));
  for (std::size_t sent = 0; sent < enough && hostile.is_open();) {
    for (std::size_t wave = 0; wave < kWave && hostile.is_open(); wave += part.size()) {
      if (!hostile.send(hostile.frame(part, true))) hostile.close();
      sent += part.size();
    }
    let_it_look();
  }
  EXPECT_FALSE(hostile.is_open());
  EXPECT_TRUE(eventually([&] { return cut("endless") > 0; }));
  EXPECT_LT(memory_kb("VmHWM"), kMaxPeakKb / 2);
  expect_served();
}

TEST_F(HostileTest, ALargeMessageInATrickleHoldsNobodyUp) {
  constexpr std::size_t kClients = 200;
  std::vector<WireClient> clients(kClients);
  // The length of a message that is allowed, and hardly any of its bytes.
  const std::string begun = std::string(1, '\x02') + std::string("\0\0\0\0\0\x10\0\0", 8);
  for (WireClient& client : clients) {
    ASSERT_TRUE(client.open(city(), "data", fire()));
    ASSERT_TRUE(client.send(begun + std::string(100, 'x')));
  }
  for (int round = 0; round < 20; ++round)
    for (WireClient& client : clients)
      if (client.is_open() && !client.send("x")) client.close();
  expect_served();
}

TEST_F(HostileTest, SubscriptionsWithoutEndAreCut) {
  const std::size_t wanted = scale() * 200'000;
  constexpr std::size_t kClients = 8;
  std::vector<WireClient> clients(kClients);
  std::uint64_t number = 0;
  // Topics as unlike as can be: a tree of them has a node for each byte.
  const auto topic = [&number] {
    std::uint64_t x = ++number * 0x9E3779B97F4A7C15ULL;
    std::string text = "\x01";
    while (text.size() < 250) {
      x ^= x >> 29U;
      x *= 0xBF58476D1CE4E5B9ULL;
      text.push_back(static_cast<char>(x >> 56U));
    }
    return text;
  };
  while (number < wanted) {
    for (WireClient& client : clients) {
      if (!client.is_open() && !client.open(city(), "live", city().agents.at("emergency"), "SUB")) continue;
      std::string some;
      for (int i = 0; i < 500; ++i) some += client.frame(topic(), false);
      if (!client.send(some)) client.close();
    }
  }
  EXPECT_TRUE(eventually([&] { return cut("crowded") > 0; }));
  clients.clear();
  RawClient honest(city(), "live", city().agents.at("emergency"), zmq::socket_type::sub);
  honest.socket().set(zmq::sockopt::subscribe, "");
  std::uint64_t published = 0;
  EXPECT_TRUE(eventually([&] {
    Publisher police(city(), "police", SessionId(700 + ++published));
    if (!police.connect()) return false;
    police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "police", 5'000 + published)});
    return police.answers() && !honest.receive_parts(std::chrono::milliseconds(300)).empty();
  }));
  expect_served();
}

TEST_F(HostileTest, ConnectionsThatProveNoKeyAreClosedAndCounted) {
  const std::size_t wanted = scale() * 3'000;
  std::vector<WireClient> held;
  const char* endpoints[] = {"data", "flash", "follow", "query", "live"};
  for (std::size_t i = 0; i < wanted; ++i) {
    WireClient client;
    if (!client.connect(city().endpoint(endpoints[i % 5]))) break;  // this process has no descriptor left
    if (i % 3 > 0) client.greet();
    if (i % 3 > 1) client.hello();
    held.push_back(std::move(client));
  }
  EXPECT_GT(held.size(), 500U);
  // Half-open connections are closed when their time for the handshake is over.
  EXPECT_TRUE(eventually([&] { return descriptors() < 200; })) << descriptors();
  EXPECT_TRUE(held.back().closed(kPatience));
  expect_served();
}

TEST_F(HostileTest, AnAgentWithTooManyConnectionsLosesTheNewest) {
  const std::size_t wanted = scale() * 700;
  std::vector<WireClient> held;
  for (std::size_t i = 0; i < wanted; ++i) {
    WireClient client;
    if (!client.open(city(), "data", fire())) continue;
    if (i % 2 == 0) say(client, Heartbeat{});
    held.push_back(std::move(client));
  }
  EXPECT_TRUE(eventually([&] { return cut("crowded") > 0 && descriptors() < 700; })) << descriptors();
  EXPECT_FALSE(held.front().closed(std::chrono::milliseconds(0))) << "the oldest stay";
  expect_served();
}

TEST_F(HostileTest, FollowersThatNeverReadCostABoundedQueueAndNobodyElseATurn) {
  constexpr std::uint64_t kEvents = 240;
  Publisher police(city(), "police", SessionId(1));
  ASSERT_TRUE(police.connect());
  for (std::uint64_t i = 1; i <= kEvents; i += 4) {
    std::vector<Bytes> events;
    for (std::uint64_t j = i; j < i + 4; ++j) events.push_back(large_incident_event(kHere, "police", j, 200'000));
    police.publish(Lane::normal, Sequence(i), std::move(events), Sequence(i - 1));
    ASSERT_TRUE(police.answers());
  }
  std::vector<WireClient> hostile(60);
  OnceASecond lives;
  const auto live_on = [&] {  // who says nothing is ended
    if (!lives.is_due()) return;
    for (WireClient& client : hostile)
      if (client.is_open()) say(client, Heartbeat{});
  };
  std::uint64_t id = 0;
  for (WireClient& client : hostile) {
    ASSERT_TRUE(client.open(city(), "follow", fire(), "DEALER", 4096));
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(say(client, follow_all(++id)));
    live_on();
  }
  const std::string queued = "lianxi_queued_bytes{what=\"deliveries\"}";
  EXPECT_TRUE(eventually([&] {
    live_on();
    return cities.metric(kHere, queued) > 4.0 * kMegabyte;
  }));
  RawClient honest(city(), "follow", city().agents.at("emergency"));
  Follow follow = follow_all(7);
  follow.credit_bytes = 8 * kMegabyte;
  follow.credit_messages = 64;
  honest.send(follow);
  std::size_t events = 0;
  while (events < kEvents) {
    const auto deliver = honest.receive_a<Deliver>();
    ASSERT_TRUE(deliver) << events;
    const auto segments = parse_segments(deliver->segments);
    ASSERT_TRUE(segments);
    for (const Segment& segment : *segments) events += segment.records().size();
    honest.send(Credit{SessionId(7), deliver->segments.size(), 1, deliver->next});
    live_on();
  }
  EXPECT_LT(cities.metric(kHere, queued), 18.0 * kMegabyte)
      << "the share of the hostile agent, that of the honest one, a message each";
  expect_served();
}

TEST_F(HostileTest, PublishesFasterThanTheDiskDoNotPileUp) {
  const std::size_t wanted = scale() * 1024 * kMegabyte;
  std::vector<WireClient> hostile(40);
  for (WireClient& client : hostile) ASSERT_TRUE(client.open(city(), "data", fire()));
  Publish publish;
  publish.session = SessionId(77);
  publish.lane = Lane::bulk;
  publish.first_sequence = Sequence(1);
  for (std::uint64_t i = 0; i < 4; ++i) publish.events.push_back(large_incident_event(kHere, "fire", i, 240'000));
  const Frames frames = encode(publish);
  const std::string header = text_of(frames.header), payload = text_of(frames.payload);
  std::size_t sent = 0;
  while (sent < wanted) {
    for (WireClient& client : hostile) {
      if (!client.is_open() && !client.open(city(), "data", fire())) continue;
      if (!client.send_message(header, payload)) client.close();
      sent += payload.size();
    }
    let_it_look();
  }
  expect_served();
}

TEST_F(HostileTest, MisshapenMessagesOverEverNewConnectionsDoNotPileUp) {
  const std::size_t wanted = scale() * 600;
  const std::string large(kMegabyte, 'x');
  for (std::size_t i = 0; i < wanted; ++i) {
    WireClient client;
    if (!client.open(city(), "data", fire())) continue;
    client.send(client.frame(large, false));
    if (i % 32 == 31) let_it_look();
  }
  expect_served();
}

TEST_F(HostileTest, MessagesThatBreakOffInTheirMiddleLeaveNothingBehind) {
  const std::size_t wanted = scale() * 1'000;
  std::vector<WireClient> hostile(40);
  const std::string header(kHeaderBytes, 'h'), large(kMegabyte, 'x');
  std::size_t sent = 0;
  while (sent < wanted) {
    for (WireClient& client : hostile) {
      if (!client.is_open() && !client.open(city(), "data", fire())) continue;
      // The nonces go backwards: libzmq ends the connection between the frames.
      const std::string second = client.frame(large, false);
      if (!client.send(client.frame(header, true) + second)) client.close();
      ++sent;
    }
    let_it_look();
  }
  expect_served();
}

TEST_F(HostileTest, ListsWithoutMeasureAreRefused) {
  RawClient data(city(), "data", fire());
  Hello hello{SessionId(3), {}, {}, "hostile"};
  hello.close_sessions.assign(7'000, SessionId(4));
  data.send(hello);
  EXPECT_TRUE(data.receive());
  hello.close_sessions.assign(60'000, SessionId(4));
  data.send(hello);
  const auto oversize = data.receive_a<Refused>();
  ASSERT_TRUE(oversize);
  EXPECT_EQ(oversize->refusal.code, RefusalCode::oversize);

  RawClient follow(city(), "follow", city().agents.at("emergency"));
  Follow asked = follow_all(1);
  asked.from = FollowFrom::vector;
  asked.filter.agencies.assign(2'000, "fire");
  follow.send(asked);
  const auto refused = follow.receive_a<Refused>();
  ASSERT_TRUE(refused);
  expect_served();
}

}  // namespace
}  // namespace lianxi::test
