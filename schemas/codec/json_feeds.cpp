#include <nlohmann/json.hpp>

#include "schemas/codec/json.h"
#include "schemas/codec/json_parts.h"

namespace lianxi {
namespace {

using nlohmann::json;

std::optional<Lane> lane_of(const std::string& word) {
  for (const Lane lane : {Lane::flash, Lane::normal, Lane::bulk})
    if (word == to_word(lane)) return lane;
  return std::nullopt;
}

// Throws json::exception where a field is missing or of another type.
std::optional<FeedPosition> position_of(const json& row) {
  const auto region = parse_region(row.at("region").get<std::string>());
  const auto audience = Audience::parse(row.at("audience").get<std::string>());
  const auto lane = lane_of(row.at("lane").get<std::string>());
  const auto hash = hash_from_hex(row.at("hash").get<std::string>());
  if (!region || !audience || !lane || !hash) return std::nullopt;
  return FeedPosition{{*region, Epoch(row.at("epoch").get<std::uint32_t>()), *lane, *audience},
                      {Sequence(row.at("seq").get<std::uint64_t>()), *hash}};
}

}  // namespace

nlohmann::ordered_json codec::json_feeds(const FeedVector& vector) {
  nlohmann::ordered_json to = nlohmann::ordered_json::array();
  for (const FeedPosition& position : vector) {
    to.push_back({{"region", to_text(position.feed.region)},
                  {"epoch", position.feed.epoch.value},
                  {"lane", to_word(position.feed.lane)},
                  {"audience", position.feed.audience.text()},
                  {"seq", position.head.sequence.value},
                  {"hash", to_hex(position.head.hash)}});
    if (position.begins.value > 0) to.back()["begins"] = position.begins.value + 1;
  }
  return to;
}

std::string to_json(const FeedVector& vector) {
  return codec::json_feeds(vector).dump();
}

Result<FeedVector> feed_vector_from_json(std::string_view text) {
  const auto wrong = [](const std::string& what) { return refuse(RefusalCode::malformed, "feeds", what); };
  json document = json::parse(text, nullptr, false);
  if (document.is_object() && document.contains("feeds")) document = json(document["feeds"]);
  if (!document.is_array()) return wrong("is no feed vector; save the output of `lianxi status --json`");
  FeedVector vector;
  for (const json& row : document) {
    try {
      auto position = position_of(row);
      if (!position) return wrong("has a feed that cannot be read: " + row.dump());
      vector.push_back(std::move(*position));
    } catch (const json::exception& error) {
      return wrong(std::string("has a feed that cannot be read: ") + error.what());
    }
  }
  return vector;
}

}  // namespace lianxi
