// Each mistake a person makes in a config file is named with its file, line, field and mend.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/app/config_folder.h"

namespace lianxi::app {
namespace {

struct Mistake {
  std::string name;
  std::string file, from, to;  // what is written instead of what
  std::uint32_t line;
  std::string field;
  std::string what, mend;  // parts of the finding
  bool warning = false;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

class ConfigMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, IsNamedWithItsMend) {
  const Mistake& mistake = GetParam();
  const ConfigFolder folder;
  folder.replace(mistake.file, mistake.from, mistake.to);
  const Reading<BrokerConfig> reading = read_config(folder.node());
  std::string found;
  std::size_t matches = 0;
  for (const ConfigFinding& f : reading.findings) {
    found += to_text(f) + "\n";
    const bool same_file = std::filesystem::equivalent(f.file, folder.path(mistake.file));
    if (same_file && f.line == mistake.line && f.field == mistake.field && f.what.find(mistake.what) != std::string::npos &&
        f.mend.find(mistake.mend) != std::string::npos && f.warning == mistake.warning) {
      ++matches;
    }
  }
  EXPECT_EQ(matches, 1U) << "findings:\n" << found;
  EXPECT_EQ(reading.value.has_value(), mistake.warning) << found;
}

const std::string kNode = "regions/330800.toml";
const std::string kBadKey(40, '~');

std::vector<Mistake> node_mistakes() {
  return {
      {"MisspeltKey", kNode, "flash =", "flsh =", 9, "endpoints.flsh", "no such key", "did you mean 'flash'?"},
      {"MisspeltTable", kNode, "[disk]", "[disc]", 20, "disc", "no such key", "did you mean 'disk'?"},
      {"UnknownKeyFarFromAll", kNode, "[log]", "[log]\nrotation_policy = 1", 17, "log.rotation_policy", "no such key",
       "known here: format, level"},
      {"MissingKey", kNode, "data_dir = \"../data\"\n", "", 1, "data_dir", "is missing", "add data_dir = "},
      {"MissingTable", kNode, "[endpoints]", "[ends]", 0, "endpoints", "is missing", "add a table [endpoints]"},
      {"RegionWithoutQuotes", kNode, "region = \"330800\"", "region = 330800", 1, "region", "is a whole number, not a text",
       "region = \"330800\""},
      {"RegionOfFourDigits", kNode, "\"330800\"", "\"3308\"", 1, "region", "'3308' is not a region", "six digits"},
      {"RegionIsNoMember", kNode, "\"330800\"", "\"350700\"", 1, "region", "350700 is not a member", "add a [[member]]"},
      {"PathToNowhere", kNode, "../policy.toml", "../polcy.toml", 4, "policy", "polcy.toml is not a file", "relative paths"},
      {"FolderExpected", kNode, "../keys", "../members.toml", 5, "agent_keys", "is not a folder", "relative paths"},
      {"DataDirIsAFile", kNode, "../data", "../members.toml", 2, "data_dir", "is not a folder", "name a folder"},
      {"EndpointsClash", kNode, ":9602", ":9601", 10, "endpoints.data", "has the address of endpoints.flash", "port of its own"},
      {"EndpointsClashOnEveryAddress", kNode, "127.0.0.1:9603", "0.0.0.0:9602", 11, "endpoints.follow",
       "has the address of endpoints.data", "port of its own"},
      {"MetricsClash", kNode, "\"127.0.0.1:9606\"", "\"127.0.0.1:9605\"", 14, "endpoints.metrics",
       "has the address of endpoints.live", "port of its own"},
      {"EndpointWithoutScheme", kNode, "tcp://127.0.0.1:9604", "127.0.0.1:9604", 12, "endpoints.query", "is not an endpoint",
       "tcp://host:port"},
      {"EndpointWithBadPort", kNode, ":9605\"", ":96050\"", 13, "endpoints.live", "is not an endpoint", "1 to 65535"},
      {"MetricsWithScheme", kNode, "\"127.0.0.1:9606\"", "\"tcp://127.0.0.1:9606\"", 14, "endpoints.metrics", "is not an address",
       "host:port"},
      {"UnknownLogFormat", kNode, "\"json\"", "\"xml\"", 17, "log.format", "'xml' is not a log format", "console"},
      {"UnknownLogLevel", kNode, "\"debug\"", "\"loud\"", 18, "log.level", "'loud' is not a log level", "trace, debug"},
      {"HeadroomAsText", kNode, "headroom_mb = 64", "headroom_mb = \"64\"", 21, "disk.headroom_mb",
       "is a text, not a whole number", "without quotes"},
      {"HeadroomOutOfBounds", kNode, "headroom_mb = 64", "headroom_mb = -1", 21, "disk.headroom_mb", "-1 is out of bounds",
       "0 to"},
      {"UnknownPeersFeeds", kNode, "headroom_mb = 64", "peers_feeds = \"all\"", 21, "disk.peers_feeds", "\"all\" is not known",
       "\"whole\""},
      {"UnknownSecurity", kNode, "[endpoints]", "[endpoints]\nsecurity = \"none\"", 9, "endpoints.security",
       "'none' is not known", "\"curve\""},
      {"PlainOnEveryAddress", kNode, "[endpoints]\nflash = \"tcp://127.0.0.1",
       "[endpoints]\nsecurity = \"plain\"\nflash = \"tcp://*", 9, "endpoints.security", "flash, tcp://*:9601, is not loopback",
       "127.x.x.x"},
      {"PlainMetricsOnEveryAddress", kNode, "metrics = \"127.0.0.1:9606\"", "metrics = \"0.0.0.0:9606\"\nsecurity = \"plain\"",
       15, "endpoints.security", "metrics, 0.0.0.0:9606, is not loopback", "127.x.x.x"},
      {"PlainIsSaidLoudly", kNode, "[endpoints]", "[endpoints]\nsecurity = \"plain\"", 9, "endpoints.security",
       "nothing is encrypted", "leave security out", true},
      {"BrokenToml", kNode, "[log]", "[log", 16, "", "", "mend the TOML here"},
  };
}

std::vector<Mistake> member_mistakes() {
  return {
      {"RegionTwice", "members.toml", "\"341000\"", "\"330800\"", 14, "member[1].region", "stands in this file twice",
       "keep one [[member]]"},
      {"SealKeyTooShort", "members.toml", "seal_key = \"", "seal_key = \"00", 5, "member[0].seal_key",
       "is not a key of 32 bytes in hex", "64 hex digits"},
      {"CurveKeyTooLong", "members.toml", "curve_key = \"", "curve_key = \"x", 6, "member[0].curve_key", "is not a CURVE key",
       "40 characters"},
      {"MemberEndpointTaken", "members.toml", ":9702\"", ":9603\"", 20, "member[1].data", "stands in this file already",
       "address of its own"},
      {"MemberEndpointOnEveryAddress", "members.toml", "tcp://127.0.0.1:9703", "tcp://*:9703", 21, "member[1].follow",
       "is not an endpoint", "host:port"},
      {"MemberWithoutEndpoint", "members.toml", "live = \"tcp://127.0.0.1:9705\"\n", "", 13, "member[1].live", "is missing",
       "live = "},
      {"GroupOfAStranger", "members.toml", "\"330800\", \"341000\"]", "\"330800\", \"350700\"]", 27, "group[0].members[1]",
       "350700 is not a member", "add a [[member]]"},
      {"GroupNamedConference", "members.toml", "\"upstream\"", "\"conference\"", 26, "group[0].name",
       "is an audience of every conference", "another name"},
      {"UntilIsNoDate", "members.toml", "live = \"tcp://127.0.0.1:9705\"\n",
       "live = \"tcp://127.0.0.1:9705\"\nuntil = \"tomorrow\"\n", 24, "member[1].until", "'tomorrow' is neither a date",
       "the whole day"},
      {"UntilWithoutQuotes", "members.toml", "live = \"tcp://127.0.0.1:9705\"\n",
       "live = \"tcp://127.0.0.1:9705\"\nuntil = 2026-12-31\n", 24, "member[1].until", "is a date or time, not a text",
       "until = \"2026-12-31\""},
      {"EndsBeforeItBegins", "members.toml", "live = \"tcp://127.0.0.1:9705\"\n",
       "live = \"tcp://127.0.0.1:9705\"\nsince = \"2026-12-31\"\nuntil = \"2026-12-30\"\n", 25, "member[1].until",
       "ends before it begins", "behind `since`"},
      {"GroupBeginsAtNoTime", "members.toml", "[\"330800\", \"341000\"]\n", "[\"330800\", \"341000\"]\nsince = \"2026\"\n", 28,
       "group[0].since", "'2026' is neither a date", "2026-12-31"},
      {"MembersAsText", "members.toml", "members = [\"330800\", \"341000\"]", "members = \"330800\"", 27, "group[0].members",
       "is a text, not a list of texts", "members = ["},
  };
}

std::vector<Mistake> policy_mistakes() {
  return {
      {"UnknownKind", "policy.toml", "\"incident\"", "\"incidnt\"", 5, "grant[0].publish[0].kinds[1]", "'incidnt' is not known",
       "did you mean 'incident'?"},
      {"UnknownLevel", "policy.toml", "\"red\"", "\"purple\"", 8, "grant[0].publish[0].levels[0]", "'purple' is not known",
       "known: none, red, orange, yellow, blue"},
      {"UnknownAudience", "policy.toml", "\"upstream\"", "\"downstream\"", 9, "grant[0].publish[0].audiences[2]",
       "'downstream' is not an audience", "name of a group"},
      {"BadPlace", "policy.toml", "\"3308\"", "\"33081\"", 6, "grant[0].publish[0].places[0]", "'33081' cannot be used", ""},
      {"BadAgency", "policy.toml", "[\"police\"]", "[\"Police\"]", 7, "grant[0].publish[0].agencies[0]",
       "'Police' is not an agency", "lower case"},
      {"BadPattern", "policy.toml", "*.police.*", "*.police", 2, "grant[0].agents", "'*.police' fits no agent",
       "region.agency.name"},
      {"PartOfAPartAsPattern", "policy.toml", "*.police.*", "3308*.police.*", 2, "grant[0].agents", "fits no agent",
       "whole part"},
      {"MisspeltRight", "policy.toml", "[[grant.follow]]", "[[grant.folow]]", 11, "grant[0].folow", "no such key",
       "did you mean 'follow'?"},
      {"TableWhereAListBelongs", "policy.toml", "[[grant.publish]]", "[grant.publish]", 4, "grant[0].publish",
       "is a table, not a list of tables", "[[grant.publish]]"},
      {"NobodyIsMeant", "policy.toml", "*.police.*", "*.fire.*", 2, "grant[0].agents", "no agent with a key", "key folder", true},
  };
}

std::vector<Mistake> key_mistakes() {
  return {
      {"AgentKeyDoesNotDecode", "keys/police.toml", "public_key = \"", "public_key = \"" + kBadKey + "\" # ", 4, "public_key",
       "is not a CURVE key", "lianxi keys new"},
      {"AgentIdWithTwoParts", "keys/police.toml", "330800.police.dispatch", "330800.police", 1, "id",
       "'330800.police' cannot be used", ""},
      {"AgencyDiffersFromId", "keys/police.toml", "agency = \"police\"", "agency = \"fire\"", 2, "agency",
       "is not the agency in the id", "the same in both"},
      {"UnknownRole", "keys/police.toml", "role = \"agent\"", "role = \"chief\"", 3, "role", "'chief' is not a role",
       "agent, operator, node or volunteer"},
      {"SecretDoesNotBelong", "secret/node.secret.toml", "secret_key = \"",
       "secret_key = \"" + make_curve_keys().secret_key + "\" # ", 2, "curve.public_key", "does not belong to secret_key",
       "one run"},
      {"KeysOfAnotherNode", "secret/node.secret.toml", "public_key = \"",
       "public_key = \"" + make_curve_keys().public_key + "\" # ", 2, "curve.public_key", "does not belong", "one run"},
      {"SealMissing", "secret/node.secret.toml", "[seal]", "[sael]", 0, "seal", "is missing", "add a table [seal]"},
  };
}

auto name_of = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Node, ConfigMistake, ::testing::ValuesIn(node_mistakes()), name_of);
INSTANTIATE_TEST_SUITE_P(Members, ConfigMistake, ::testing::ValuesIn(member_mistakes()), name_of);
INSTANTIATE_TEST_SUITE_P(Policy, ConfigMistake, ::testing::ValuesIn(policy_mistakes()), name_of);
INSTANTIATE_TEST_SUITE_P(Keys, ConfigMistake, ::testing::ValuesIn(key_mistakes()), name_of);

bool mentions(const std::vector<ConfigFinding>& findings, const std::string& words) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const ConfigFinding& f) { return to_text(f).find(words) != std::string::npos; });
}

TEST(ConfigMistakes, OfAllFilesAreToldInOneRun) {
  const ConfigFolder folder;
  folder.replace(kNode, "flash =", "flsh =");
  folder.replace("members.toml", "\"341000\"", "\"34100\"");
  folder.replace("policy.toml", "\"incident\"", "\"incidnt\"");
  folder.replace("keys/police.toml", "role = \"agent\"", "role = \"chief\"");
  folder.replace("secret/node.secret.toml", "[seal]", "[sael]");
  const std::vector<ConfigFinding> findings = check_config(folder.node());
  for (const char* words : {"endpoints.flsh", "member[1].region", "'incidnt'", "'chief'", "[seal]"}) {
    EXPECT_TRUE(mentions(findings, words)) << words;
  }
  EXPECT_TRUE(has_errors(findings));
}

TEST(ConfigMistakes, AMissingNodeFileIsOneFinding) {
  const ConfigFolder folder;
  const std::vector<ConfigFinding> findings = check_config(folder.path("regions/999999.toml"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].what, "no such file");
}

TEST(ConfigMistakes, TwoAgentsWithOneKeyAreNamedBoth) {
  const ConfigFolder folder;
  folder.write("keys/second.toml", folder.read("keys/police.toml"));
  const std::vector<ConfigFinding> findings = check_config(folder.node());
  EXPECT_TRUE(mentions(findings, "second.toml:1: id: stands in " + folder.path("keys/police.toml") + " too"));
  EXPECT_TRUE(mentions(findings, "second.toml:4: public_key: stands in"));
}

TEST(ConfigMistakes, ASecretKeyAmongPublicOnesIsAWarning) {
  const ConfigFolder folder;
  folder.write("keys/police.secret.toml", "");
  const Reading<BrokerConfig> reading = read_config(folder.node());
  EXPECT_TRUE(mentions(reading.findings, "a secret key lies in the folder of public ones"));
  EXPECT_TRUE(reading.value);
}

TEST(ConfigMistakes, ASecretFileThatOthersCanReadIsAWarning) {
  const ConfigFolder folder;
  ::chmod(folder.path("secret/node.secret.toml").c_str(), 0644);
  const Reading<BrokerConfig> reading = read_config(folder.node());
  EXPECT_TRUE(mentions(reading.findings, "others than its owner can read it"));
  EXPECT_TRUE(reading.value);
}

TEST(ConfigMistakes, KeysThatAreNotTheMembersOnesAreTold) {
  const ConfigFolder folder;
  const std::string other = make_curve_keys().public_key;
  folder.replace("members.toml", "curve_key = \"", "curve_key = \"" + other + "\" # ");
  const SealKeyPair seal = make_seal_keys();
  folder.replace("members.toml", "seal_key = \"", "seal_key = \"" + to_hex(seal.public_key) + "\" # ");
  const std::vector<ConfigFinding> findings = check_config(folder.node());
  const std::string keys = "330800.toml:6: keys: ";
  EXPECT_TRUE(mentions(findings, keys + "curve.public_key of " + folder.path("secret/node.secret.toml") +
                                     " differs from the curve_key of 330800"));
  EXPECT_TRUE(mentions(
      findings, keys + "seal.public_key of " + folder.path("secret/node.secret.toml") + " differs from the seal_key of 330800"));
}

TEST(ConfigMistakes, ARegionThatCannotBeReadIsOneFinding) {
  for (const char* region : {"\"33080\"", "330800", "\"33080x\""}) {
    const ConfigFolder folder;
    folder.replace(kNode, "region = \"330800\"", std::string("region = ") + region);
    const std::vector<ConfigFinding> findings = check_config(folder.node());
    ASSERT_EQ(findings.size(), 1U) << region;
    EXPECT_EQ(findings[0].line, 1U) << region;
  }
}

}  // namespace
}  // namespace lianxi::app
