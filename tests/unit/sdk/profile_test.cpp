#include "agents/sdk/profile.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agents/sdk/client.h"

namespace lianxi::sdk {
namespace {

class ProfileFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "profile-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  Result<Profile> load(const std::string& from = {}, const std::string& to = {}) {
    std::string text =
        "[node]\nregion = \"330800\"\nflash = \"tcp://127.0.0.1:1\"\ndata = \"tcp://127.0.0.1:2\"\n"
        "follow = \"tcp://127.0.0.1:3\"\nquery = \"tcp://127.0.0.1:4\"\nlive = \"tcp://127.0.0.1:5\"\n"
        "server_key = \"" +
        node.public_key + "\"\n[agent]\nid = \"330800.police.dispatch\"\npublic_key = \"" + agent.public_key +
        "\"\nsecret_key = \"" + agent.secret_key + "\"\n";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    const std::string path = folder / "p.toml";
    std::ofstream(path) << text;
    return load_profile(path);
  }
  void refused(const std::string& from, const std::string& to, const std::string& field, const std::string& line) {
    const auto profile = load(from, to);
    ASSERT_FALSE(profile) << to;
    EXPECT_EQ(profile.error().code, RefusalCode::config);
    EXPECT_EQ(profile.error().field, field);
    EXPECT_NE(profile.error().reason.find("p.toml:" + line), std::string::npos) << profile.error().reason;
  }

  std::filesystem::path folder;
  CurveKeys node = make_curve_keys();
  CurveKeys agent = make_curve_keys();
};

TEST_F(ProfileFile, AGoodOneIsRead) {
  const auto profile = load();
  ASSERT_TRUE(profile) << profile.error().reason;
  EXPECT_EQ(profile->region, RegionCode{330800});
  EXPECT_EQ(profile->agent.text(), "330800.police.dispatch");
  EXPECT_EQ(profile->query, "tcp://127.0.0.1:4");
}

TEST_F(ProfileFile, EachMistakeIsToldWithFileLineAndField) {
  refused("flash", "flsh", "node.flsh", "3");
  refused("330800", "33", "node.region", "2");
  refused("tcp://127.0.0.1:3", "127.0.0.1:3", "node.follow", "5");
  refused(node.public_key, "short", "node.server_key", "8");
  refused("330800.police.dispatch", "Police", "agent.id", "10");
  refused(agent.public_key, node.public_key, "agent.public_key", "11");
  refused("region = \"330800\"", "region = 330800", "node.region", "2");
  refused("[agent]", "[agent", "profile", "9");
}

TEST_F(ProfileFile, PlainIsForLoopbackAlone) {
  const std::string key = "server_key = ";
  const auto plain = load(key, "security = \"plain\"\n" + key);
  ASSERT_TRUE(plain) << plain.error().reason;
  EXPECT_EQ(plain->security, Security::plain);
  refused(key, "security = \"none\"\n" + key, "node.security", "8");
  refused("tcp://127.0.0.1:5\"\n", "tcp://192.0.2.1:5\"\nsecurity = \"plain\"\n", "node.security", "8");
  const auto curve = load();
  ASSERT_TRUE(curve);
  EXPECT_EQ(curve->security, Security::curve);
}

TEST_F(ProfileFile, AClientOfAPlainProfileStaysOnThisMachine) {
  Profile profile = load().value();
  profile.security = Security::plain;
  profile.data = "tcp://192.0.2.1:2";
  const auto client = Client::open(profile, {});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, RefusalCode::config);
  EXPECT_EQ(client.error().field, "node.security");
}

TEST_F(ProfileFile, AMissingFileIsNamed) {
  const auto profile = load_profile(folder / "none.toml");
  ASSERT_FALSE(profile);
  EXPECT_NE(profile.error().reason.find("none.toml"), std::string::npos);
}

}  // namespace
}  // namespace lianxi::sdk
