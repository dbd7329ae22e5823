// The broker as the person who runs it meets it: starts, stops, mistakes, and the proof of a journal.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHere = "330800";

class ProcessTest : public ::testing::Test {
 protected:
  City& city() { return cities.city(kHere); }
  void publish(std::uint64_t session, std::size_t count) {
    Publisher police(city(), "police", SessionId(session));
    ASSERT_TRUE(police.connect());
    std::vector<Bytes> events;
    for (std::uint64_t i = 0; i < count; ++i) events.push_back(incident_event(kHere, "police", session * 10'000 + i));
    police.publish(Lane::normal, Sequence(1), std::move(events));
    ASSERT_TRUE(police.answers());
  }
  Ended verify(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {LIANXI_BROKER, "verify", cities.data_dir(kHere) + "/journal", "--members",
                                        cities.members_file()};
    command.insert(command.end(), more.begin(), more.end());
    return run_program(command, cities.folder() + "/verify." + std::to_string(++runs) + ".log");
  }
  Ended broker(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {LIANXI_BROKER};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(command, cities.folder() + "/run." + std::to_string(++runs) + ".log");
  }
  int runs = 0;
  Cities cities{{kHere}};
};

TEST_F(ProcessTest, TermEndsItInOrderAndTheNextStartHasEverything) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  publish(1, 500);
  ASSERT_TRUE(status_of(city(), Offset(501)));  // its last seconds may be too short for a view that has yet to begin
  city().process->signal(SIGTERM);
  EXPECT_EQ(city().process->wait(), 0);
  EXPECT_THAT(city().process->output(), HasSubstr("\"event\":\"stopped\",\"head\":\"501\",\"view_offset\":\"501\""));
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  const auto status = status_of(city(), Offset(501));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->head, Offset(501));
}

TEST_F(ProcessTest, TermWhilePublishesPourInLosesNoAcknowledgedEvent) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  Publisher police(city(), "police", SessionId(1));
  ASSERT_TRUE(police.connect());
  constexpr std::uint64_t kPublishes = 200;
  for (std::uint64_t i = 1; i <= kPublishes; ++i) police.publish(Lane::normal, Sequence(i), {incident_event(kHere, "police", i)});
  std::uint64_t acknowledged = 0;
  const auto note = [&](const std::optional<Answers>& answers) {
    if (!answers) return false;
    for (const auto& range : answers->receipts)
      acknowledged = std::max(acknowledged, range.first_sequence.value + range.count - 1);
    return true;
  };
  ASSERT_TRUE(note(police.answers()));
  city().process->signal(SIGTERM);
  EXPECT_EQ(city().process->wait(), 0);
  while (note(police.answers(std::chrono::milliseconds(100)))) {
  }
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  const auto status = status_of(city());
  ASSERT_TRUE(status);
  EXPECT_GE(status->head.value, acknowledged + 1);
}

TEST_F(ProcessTest, TheEndpointsFileNamesWhereItListens) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  EXPECT_THAT(read_text(cities.data_dir(kHere) + "/endpoints.toml"), HasSubstr("flash = \"" + city().endpoint("flash") + "\""));
}

TEST_F(ProcessTest, APortInUseIsNamedWithItsMend) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  std::string other = read_text(cities.node_file(kHere));
  const std::string from = cities.data_dir(kHere);
  other.replace(other.find(from), from.size(), from + ".other");
  write_text(cities.node_file("other"), other);
  const Ended second = broker({"--config", cities.node_file("other")});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr(city().endpoint("flash")));
  EXPECT_THAT(second.output, HasSubstr("another process uses the port"));
}

TEST_F(ProcessTest, ASecondBrokerOnTheSameDataIsTurnedAway) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  const Ended second = broker({"--config", cities.node_file(kHere)});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr("is used by another lianxi-broker"));
}

TEST_F(ProcessTest, ATypoInTheConfigIsAUsageErrorWithItsLine) {
  write_text(cities.node_file(kHere), read_text(cities.node_file(kHere)) + "headrom_mb = 3\n");
  const Ended ended = broker({"--config", cities.node_file(kHere)});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.output, HasSubstr("headrom_mb"));
  const Ended checked = broker({"--check-config", cities.node_file(kHere)});
  EXPECT_EQ(checked.status, 2);
  EXPECT_THAT(checked.output, HasSubstr("headrom_mb"));
}

TEST_F(ProcessTest, ABadKeyFileIsAUsageError) {
  write_text(cities.folder() + "/330800.agents/police.toml", "id = \"330800.police.desk\"\npublic_key = \"short\"\n");
  const Ended ended = broker({"--config", cities.node_file(kHere)});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.output, HasSubstr("police.toml"));
}

TEST_F(ProcessTest, AGoodConfigIsSaidToBeFit) {
  const Ended checked = broker({"--check-config", cities.node_file(kHere)});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

TEST_F(ProcessTest, ABadFileAtReloadKeepsTheOldRights) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  write_text(cities.policy_file(), "[[grant]]\nagents = 7\n");
  city().process->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return city().process->output().find("reload refused") != std::string::npos; }));
  publish(1, 1);
}

TEST_F(ProcessTest, AnAgentAddedAtReloadIsAdmitted) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  const Keys fresh = make_keys();
  write_text(cities.folder() + "/330800.agents/new.toml",
             "id = \"330800.police.second\"\nagency = \"police\"\nrole = \"agent\"\npublic_key = \"" + fresh.public_key + "\"\n");
  city().process->signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return city().process->output().find("\"event\":\"reloaded\"") != std::string::npos; }));
  RawClient client(city(), "data", fresh);
  client.send(Hello{SessionId(1), {}, {}, "test"});
  const auto welcome = client.receive_a<Welcome>();
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->agent.text(), "330800.police.second");
}

TEST_F(ProcessTest, BelowItsDiskHeadroomItTakesNothingInAndSaysWhenToComeBack) {
  std::string node = read_text(cities.node_file(kHere));
  node.replace(node.find("headroom_mb = 1"), 15, "headroom_mb = 1000000000000");
  write_text(cities.node_file(kHere), node);
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  ASSERT_TRUE(eventually([&] { return city().process->output().find("disk below headroom") != std::string::npos; }));
  RawClient client(city(), "data", city().agents.at("police"));
  client.send(Hello{SessionId(1), {}, {}, "test"});
  Publish publish;
  publish.session = SessionId(1);
  publish.lane = Lane::normal;
  publish.first_sequence = Sequence(1);
  publish.events = {incident_event(kHere, "police", 1)};
  client.send(publish);
  std::optional<Refusal> refusal;
  while (!refusal) {
    const auto message = client.receive();
    ASSERT_TRUE(message);
    if (const auto* refused = std::get_if<Refused>(&*message)) refusal = refused->refusal;
    if (const auto* answers = std::get_if<Answers>(&*message); answers != nullptr && !answers->refusals.empty())
      refusal = answers->refusals[0].refusal;
  }
  EXPECT_EQ(refusal->code, RefusalCode::disk_full);
  EXPECT_GT(refusal->retry_after_ms, 0U);
  const auto status = status_of(city());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->head, Offset(1));
}

TEST_F(ProcessTest, HealthAndReadinessAreServed) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  EXPECT_THAT(cities.get(kHere, "/health"), HasSubstr("\"status\":\"ok\""));
  EXPECT_THAT(cities.get(kHere, "/ready"), HasSubstr("\"status\":\"ready\""));
  EXPECT_THAT(cities.get(kHere, "/metrics"), HasSubstr("lianxi_journal_next_offset 1"));
}

TEST_F(ProcessTest, VerifyProvesAWholeJournalAndNamesAFlippedByte) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  publish(1, 300);
  city().process->signal(SIGTERM);
  ASSERT_EQ(city().process->wait(), 0);
  const Ended good = verify();
  EXPECT_EQ(good.status, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("300 events"));
  EXPECT_THAT(verify({"--json"}).output, HasSubstr("\"proven\":true"));

  std::string file;
  for (const auto& entry : std::filesystem::directory_iterator(cities.data_dir(kHere) + "/journal"))
    if (entry.path().extension() == ".db") file = entry.path();
  std::string bytes = read_text(file);
  const auto at = bytes.find("case-10150");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  const Ended bad = verify();
  EXPECT_EQ(bad.status, 1) << bad.output;
  EXPECT_THAT(bad.output, HasSubstr("330800"));
}

TEST_F(ProcessTest, VerifyWithoutItsFilesIsAUsageError) {
  EXPECT_EQ(broker({"verify", cities.folder() + "/nowhere", "--members", cities.members_file()}).status, 2);
  EXPECT_EQ(broker({"verify", cities.folder()}).status, 2);
  EXPECT_EQ(broker({}).status, 2);
  EXPECT_EQ(broker({"--help"}).status, 0);
}

TEST_F(ProcessTest, TheViewIsMadeAnewFromTheJournal) {
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  publish(1, 100);
  const auto before = status_of(city(), Offset(101));
  city().process->signal(SIGTERM);
  ASSERT_EQ(city().process->wait(), 0);
  const Ended rebuilt = broker({"--rebuild-view", "--config", cities.node_file(kHere)});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.output;
  EXPECT_THAT(rebuilt.output, HasSubstr("101"));
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  const auto after = status_of(city(), Offset(101));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->digests, after->digests);
}

}  // namespace
}  // namespace lianxi::test
