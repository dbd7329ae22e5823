#include <nlohmann/json.hpp>

#include "schemas/codec/json.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(const std::optional<TimeMs>& time) {
  return time ? ordered_json(to_iso8601(*time)) : ordered_json(nullptr);
}

ordered_json event_of(const ExplainReport& report) {
  const FeedId& feed = report.feed.feed;
  return {{"offset", report.offset.value},
          {"region", to_text(feed.region)},
          {"epoch", feed.epoch.value},
          {"lane", to_word(feed.lane)},
          {"audience", feed.audience.text()},
          {"seq", report.feed.head.sequence.value},
          {"hash", to_hex(report.feed.head.hash)},
          {"ordinal", report.ordinal.value},
          {"time", to_iso8601(report.time)},
          {"publisher", report.publisher},
          {"redacted", report.redacted},
          {"kind", to_word(report.kind)},
          {"entity", report.entity},
          {"status", to_word(report.status)},
          {"place", report.place.text()},
          {"agency", report.agency},
          {"level", to_word(report.level)}};
}

}  // namespace

std::string to_json(const ExplainReport& report) {
  ordered_json to;
  to["event"] = event_of(report);
  to["receivers"] = ordered_json::array();
  for (const ReceiverRow& row : report.receivers)
    to["receivers"].push_back({{"region", to_text(row.region)},
                               {"name_zh", row.name_zh},
                               {"name_en", row.name_en},
                               {"standing", to_word(row.standing)},
                               {"holding", to_word(row.holding)},
                               {"held", row.held.value},
                               {"seen", time_or_null(row.seen)},
                               {"link", row.link},
                               {"last_contact", time_or_null(row.last_contact)},
                               {"reason", row.reason}});
  to["rights"] = ordered_json::array();
  for (const RightRow& row : report.rights)
    to["rights"].push_back({{"agent", row.agent},
                            {"follow", row.follow},
                            {"query", row.query},
                            {"follow_why", row.follow_why},
                            {"query_why", row.query_why}});
  to["rights_left_out"] = report.rights_left_out;
  to["topics"] = report.topics;
  to["kept_from"] = report.kept_from.value;
  to["others"] = ordered_json::array();
  for (const Offset other : report.others) to["others"].push_back(other.value);
  return to.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace lianxi
