#include "broker/app/feed_vector_json.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace lianxi::app {

namespace {

using nlohmann::json;

bool from_hex(const std::string& text, Hash& hash) {
  if (text.size() != 2 * hash.size()) return false;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    unsigned value = 0;
    for (const char c : {text[2 * i], text[2 * i + 1]}) {
      const char* digits = "0123456789abcdef";
      const char* found = std::char_traits<char>::find(digits, 16, c);
      if (found == nullptr) return false;
      value = value * 16 + static_cast<unsigned>(found - digits);
    }
    hash[i] = static_cast<std::uint8_t>(value);
  }
  return true;
}

}  // namespace

Result<FeedVector> read_feed_vector(const std::string& file) {
  const auto wrong = [&](const std::string& what) { return refuse(RefusalCode::config, file, what); };
  std::ifstream in(file);
  if (!in) return wrong("cannot be read");
  json document = json::parse(in, nullptr, false);
  if (document.is_object() && document.contains("feeds")) document = document["feeds"];
  if (!document.is_array()) return wrong("is no feed vector; save the output of `lianxi status --json`");
  FeedVector vector;
  for (const json& row : document) {
    FeedPosition position;
    try {
      const auto region = parse_region(row.at("region").get<std::string>());
      const auto audience = Audience::parse(row.at("audience").get<std::string>());
      const std::string lane = row.at("lane").get<std::string>();
      if (!region || !audience || !from_hex(row.at("hash").get<std::string>(), position.head.hash))
        return wrong("has a feed that cannot be read: " + row.dump());
      position.feed.region = *region;
      position.feed.audience = *audience;
      position.feed.epoch = Epoch(row.at("epoch").get<std::uint32_t>());
      position.head.sequence = Sequence(row.at("seq").get<std::uint64_t>());
      bool known = false;
      for (const Lane each : {Lane::flash, Lane::normal, Lane::bulk}) {
        if (lane != to_word(each)) continue;
        position.feed.lane = each;
        known = true;
      }
      if (!known) return wrong("has an unknown lane: " + lane);
    } catch (const json::exception& error) {
      return wrong(std::string("has a feed that cannot be read: ") + error.what());
    }
    vector.push_back(std::move(position));
  }
  return vector;
}

std::string feed_vector_json(const FeedVector& vector) {
  json feeds = json::array();
  for (const FeedPosition& position : vector)
    feeds.push_back({{"region", to_text(position.feed.region)},
                     {"epoch", position.feed.epoch.value},
                     {"lane", std::string(to_word(position.feed.lane))},
                     {"audience", position.feed.audience.text()},
                     {"seq", position.head.sequence.value},
                     {"hash", to_hex(position.head.hash)}});
  return feeds.dump();
}

}  // namespace lianxi::app
