// Whatever happens to a file on its way, reading it ends in a document or a refusal.
#include <gtest/gtest.h>

#include <random>

#include "schemas/codec/event_codec.h"
#include "tests/unit/formats/cap_samples.h"

namespace lianxi::formats {
namespace {

constexpr const char* kFiles[] = {
    "canada.cap",  "australia.cap",          "weather.cap", "earthquake.cap",    "earthquake-iso8859-1.cap",
    "invalid.cap", "no_optional_fields.cap", "xee.cap",     "weather_index.atom"};

void expect_answer(const std::string& xml, const std::string& what) {
  const auto document = read(xml);
  if (document) {
    const CapContext context{RegionCode(330800), "emergency", Audience::conference(), PlaceCode::of(RegionCode(330800))};
    const Event event = alert_event(*document, context);
    const bool admitted = check_event(event).has_value();
    EXPECT_TRUE(!admitted || decode_event(encode_event(event))) << what;
  } else {
    EXPECT_FALSE(document.error().reason.empty()) << what;
  }
}

TEST(CapDamage, ATruncatedFileIsRefused) {
  for (const char* name : kFiles) {
    const std::string whole = sample(name);
    const std::size_t last = whole.rfind('>');
    for (std::size_t length = 0; length < last; length += 50) {
      const auto document = read(whole.substr(0, length));
      EXPECT_FALSE(document) << name << " cut at " << length;
    }
  }
}

TEST(CapDamage, FlippedBitsGiveADocumentOrARefusal) {
  std::mt19937 random(20201109);
  for (const char* name : kFiles) {
    const std::string whole = sample(name);
    for (int round = 0; round < 400; ++round) {
      std::string damaged = whole;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
        const std::size_t at = random() % damaged.size();
        damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << (random() % 8)));
      }
      expect_answer(damaged, std::string(name) + " round " + std::to_string(round));
    }
  }
}

TEST(CapDamage, DeepNestingIsRefused) {
  std::string xml = "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">";
  for (int i = 0; i < 20000; ++i) xml += "<info>";
  EXPECT_FALSE(read(xml));
}

}  // namespace
}  // namespace lianxi::formats
