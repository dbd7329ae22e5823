#include "broker/app/config.h"

#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/app/config_folder.h"

namespace lianxi::app {
namespace {

using ::testing::IsEmpty;

std::string all(const std::vector<ConfigFinding>& findings) {
  std::string out;
  for (const ConfigFinding& finding : findings) out += to_text(finding) + "\n";
  return out;
}

TEST(Config, AGoodOneIsReadWhole) {
  const ConfigFolder folder;
  const Reading<BrokerConfig> reading = read_config(folder.node());
  EXPECT_THAT(reading.findings, IsEmpty()) << all(reading.findings);
  ASSERT_TRUE(reading.value);
  const NodeFile& file = reading.value->file;
  EXPECT_EQ(file.region, RegionCode(330800));
  EXPECT_EQ(file.data_dir, folder.path("data"));
  EXPECT_EQ(file.journal_folder(), folder.path("data/journal"));
  EXPECT_EQ(file.endpoints.flash, "tcp://127.0.0.1:9601");
  EXPECT_EQ(file.endpoints.metrics, "127.0.0.1:9606");
  EXPECT_EQ(file.log_format, LogFormat::json);
  EXPECT_EQ(file.log_level, "debug");
  EXPECT_EQ(file.disk_headroom_bytes, 64U * 1024 * 1024);
  EXPECT_EQ(reading.value->members->all().size(), 2U);
  EXPECT_EQ(reading.value->members->all()[1].live, "tcp://127.0.0.1:9705");
  EXPECT_EQ(reading.value->keys.curve_secret.size(), 40U);
  EXPECT_EQ(reading.value->keys.seal.public_key, reading.value->members->all()[0].seal_key);
}

TEST(Config, APlainNodeIsRefusedWhileAMemberIsOnAnotherMachine) {
  const ConfigFolder folder;
  folder.replace("regions/330800.toml", "[endpoints]", "[endpoints]\nsecurity = \"plain\"");
  folder.replace("members.toml", "tcp://127.0.0.1:9703", "tcp://192.0.2.7:9703");
  const Reading<BrokerConfig> reading = read_config(folder.node());
  EXPECT_FALSE(reading.value);
  ASSERT_EQ(reading.findings.size(), 1U) << all(reading.findings);
  EXPECT_FALSE(reading.findings[0].warning);
  EXPECT_EQ(reading.findings[0].line, 9U);
  EXPECT_EQ(reading.findings[0].what, "\"plain\" is refused: follow of member 341000, tcp://192.0.2.7:9703, is not loopback");
}

TEST(Config, SocketsUseCurveUnlessTheFileSaysPlain) {
  const ConfigFolder folder;
  Reading<BrokerConfig> reading = read_config(folder.node());
  ASSERT_TRUE(reading.value);
  EXPECT_EQ(reading.value->file.endpoints.security, Security::curve);
  folder.replace("regions/330800.toml", "[endpoints]", "[endpoints]\nsecurity = \"plain\"");
  reading = read_config(folder.node());
  ASSERT_TRUE(reading.value);
  EXPECT_EQ(reading.value->file.endpoints.security, Security::plain);
}

TEST(Config, AgentsAndTheOtherMembersBrokersHaveTheirKeys) {
  const ConfigFolder folder;
  const Reading<BrokerConfig> reading = read_config(folder.node());
  ASSERT_TRUE(reading.value);
  const std::vector<AgentKey>& agents = reading.value->agents;
  ASSERT_EQ(agents.size(), 2U);
  EXPECT_EQ(agents[0].agent.id.text(), "330800.police.dispatch");
  EXPECT_EQ(agents[0].agent.role, core::Role::agent);
  EXPECT_EQ(agents[1].agent.id.text(), "341000.broker.node");
  EXPECT_EQ(agents[1].agent.role, core::Role::node);
  EXPECT_EQ(agents[1].public_key, reading.value->members->all()[1].curve_key);
}

TEST(Config, RightsAreThoseOfThePolicyFile) {
  const ConfigFolder folder;
  const Reading<BrokerConfig> reading = read_config(folder.node());
  ASSERT_TRUE(reading.value);
  const core::Agent& police = reading.value->agents[0].agent;
  Envelope alert;
  alert.kind = Kind::alert;
  alert.place = *PlaceCode::parse("330803");
  alert.agency = "police";
  alert.level = Level::red;
  alert.audience = Audience::conference();
  EXPECT_TRUE(reading.value->policy->may_publish(police, alert));
  alert.level = Level::blue;
  EXPECT_FALSE(reading.value->policy->may_publish(police, alert));
  EXPECT_TRUE(reading.value->policy->may_follow(police, alert)) << "a rule without lists admits everything";
  EXPECT_FALSE(reading.value->policy->may_query(police, alert)) << "nothing is allowed that no grant allows";
}

TEST(Config, DiskHeadroomAndLogHaveDefaults) {
  const ConfigFolder folder;
  folder.replace("regions/330800.toml", "[disk]\nheadroom_mb = 64\n", "");
  folder.replace("regions/330800.toml", "[log]\nformat = \"json\"\nlevel = \"debug\"\n", "");
  const Reading<NodeFile> reading = read_node_file(folder.node());
  ASSERT_TRUE(reading.value) << all(reading.findings);
  EXPECT_EQ(reading.value->disk_headroom_bytes, kMinDiskHeadroomBytes);
  EXPECT_EQ(reading.value->log_format, LogFormat::console);
  EXPECT_EQ(reading.value->log_level, "info");
}

TEST(Config, PeersFeedsAreAskedForWholeOnlyIfTheFileSaysSo) {
  const auto whole = [](const std::string& line) {
    const ConfigFolder folder;
    folder.replace("regions/330800.toml", "[disk]\n", "[disk]\n" + line);
    const Reading<NodeFile> reading = read_node_file(folder.node());
    EXPECT_TRUE(reading.value) << all(reading.findings);
    return reading.value->whole_feeds;
  };
  EXPECT_FALSE(whole(""));
  EXPECT_FALSE(whole("peers_feeds = \"retained\"\n"));
  EXPECT_TRUE(whole("peers_feeds = \"whole\"\n"));
}

TEST(Config, AFindingReadsAsFileLineFieldWhatAndMend) {
  EXPECT_EQ(to_text({false, "a.toml", 7, "log.level", "is empty", "write level = \"info\""}),
            "a.toml:7: log.level: is empty (write level = \"info\")");
  EXPECT_EQ(to_text({true, "keys", 0, "", "cannot be read", ""}), "warning: keys: cannot be read");
}

TEST(Config, RatesAreTheNodesUnlessAGrantNamesItsOwn) {
  const ConfigFolder folder;
  folder.write("regions/330800.toml",
               folder.read("regions/330800.toml") + "\n[limits]\nevents_per_s = 700\nflash_events_per_s = 0\n");
  folder.write("policy.toml", folder.read("policy.toml") + "\n[[grant]]\nagents = \"341000.*.*\"\nrate = { bytes_per_s = 9 }\n");
  const Reading<BrokerConfig> reading = read_config(folder.node());
  ASSERT_TRUE(reading.value) << all(reading.findings);
  const core::PublishRates& police = reading.value->policy->rates(reading.value->agents[0].agent.id);
  EXPECT_EQ(police.rest, (core::PublishRate{.events_per_s = 700}));
  EXPECT_EQ(police.flash, (core::PublishRate{.bytes_per_s = core::PublishRates{}.flash.bytes_per_s}));
  const core::PublishRates& node = reading.value->policy->rates(reading.value->agents[1].agent.id);
  EXPECT_EQ(node.rest, (core::PublishRate{.bytes_per_s = 9}));
  EXPECT_EQ(node.flash, core::PublishRates{}.flash);
}

TEST(Config, TheMapsFilesNameFormerCodesAndCapabilities) {
  const ConfigFolder folder;
  EXPECT_TRUE(read_config(folder.node()).value->map_names->capabilities.empty()) << "without [map] none are known";
  folder.write("places.toml",
               "[aliases]\n361121 = [\"361104\"]\n330821 = [\"330802\", \"330803\"]\n[[city]]\ncode = \"330800\"\n");
  folder.write("capabilities.toml",
               "[capabilities]\nhazmat = \"危化品处置\"\n[english]\nhazmat = \"Hazardous materials\"\n"
               "[synonyms]\nhazmat = [\"危化\", \"化学品\"]\n");
  folder.replace("regions/330800.toml", "[log]",
                 "[map]\nplaces = \"../places.toml\"\ncapabilities = \"../capabilities.toml\"\n\n[log]");
  const Reading<BrokerConfig> reading = read_config(folder.node());
  ASSERT_TRUE(reading.value) << all(reading.findings);
  const MapNames& names = *reading.value->map_names;
  EXPECT_THAT(names.words_of("化学品"), ::testing::Contains("hazmat"));
  EXPECT_THAT(names.words_of("hazardous MATERIALS"), ::testing::Contains("hazmat"));
  EXPECT_THAT(names.words_of("化"), ::testing::ElementsAre("化")) << "a name counts whole";
  const auto codes = [&](const char* asked) {
    std::vector<std::string> found;
    for (const PlaceCode& code : names.places_of(PlaceCode::parse(asked).value())) found.push_back(code.text());
    return found;
  };
  EXPECT_THAT(codes("330821101"), ::testing::ElementsAre("330821101", "330802101", "330803101"));
  EXPECT_THAT(codes("361104"), ::testing::ElementsAre("361104", "361121"));
  EXPECT_THAT(codes("330802"), ::testing::ElementsAre("330802")) << "330821 became more than it";
  EXPECT_THAT(codes("3611"), ::testing::ElementsAre("361100")) << "the prefix has both";
}

TEST(Config, WhatTheMapsFilesCannotMeanIsTold) {
  const ConfigFolder folder;
  folder.write("places.toml", "[aliases]\n36112 = [\"361104\"]\n361121 = [\"x\"]\n361122 = 5\n");
  folder.replace("regions/330800.toml", "[log]", "[map]\nplaces = \"../places.toml\"\ncapabilities = \"../none.toml\"\n\n[log]");
  const Reading<BrokerConfig> reading = read_config(folder.node());
  EXPECT_FALSE(reading.value);
  ASSERT_EQ(reading.findings.size(), 4U) << all(reading.findings);
  EXPECT_EQ(reading.findings[0].line, 2U) << all(reading.findings);
}

TEST(Config, ALinkMayHaveABoundAndGoWithoutCompression) {
  const ConfigFolder folder;
  EXPECT_TRUE(read_config(folder.node()).value->file.links.empty());
  folder.write("regions/330800.toml", folder.read("regions/330800.toml") +
                                          "\n[[link]]\npeer = \"341000\"\nbytes_per_second = 16000\ncompression = \"none\"\n");
  const auto read = read_config(folder.node());
  ASSERT_TRUE(read.value);
  EXPECT_EQ(read.value->file.links, (core::LinkSettings{{RegionCode(341000), {16'000, false}}}));
}

TEST(Config, ALinkThatMeansNobodyOrNothingIsTold) {
  const auto told = [](const std::string& link) {
    const ConfigFolder folder;
    folder.write("regions/330800.toml", folder.read("regions/330800.toml") + "\n[[link]]\n" + link);
    return all(read_config(folder.node()).findings);
  };
  EXPECT_NE(told("peer = \"330800\"\n").find("this node's own region"), std::string::npos);
  EXPECT_NE(told("peer = \"110000\"\n").find("is not a member, so this [[link]] does nothing"), std::string::npos);
  EXPECT_NE(told("peer = \"341000\"\nbytes_per_second = 10\n").find("bytes_per_second"), std::string::npos);
  EXPECT_NE(told("peer = \"341000\"\ncompression = \"gzip\"\n").find("'gzip' is not known here"), std::string::npos);
  EXPECT_NE(told("peer = \"341000\"\n[[link]]\npeer = \"341000\"\n").find("has a [[link]] already"), std::string::npos);
}

}  // namespace
}  // namespace lianxi::app
