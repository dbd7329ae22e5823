#include <nlohmann/json.hpp>

#include "schemas/codec/json.h"
#include "schemas/codec/json_parts.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using codec::json_thousandths;
using nlohmann::ordered_json;

ordered_json time_or_null(const std::optional<TimeMs>& time) {
  return time ? ordered_json(to_iso8601(*time)) : ordered_json(nullptr);
}

ordered_json line(const MobilisationRow& row);

ordered_json line(const NeedRow& row) {
  return {{"id", row.id},
          {"type", row.type ? ordered_json(to_word(*row.type)) : ordered_json(nullptr)},
          {"capability", row.capability},
          {"name", row.name},
          {"quantity", json_thousandths(row.quantity_milli)},
          {"unit", row.unit},
          {"offered", json_thousandths(row.offered_milli)},
          {"provisional", json_thousandths(row.provisional_milli)},
          {"committed", json_thousandths(row.committed_milli)},
          {"deployed", json_thousandths(row.deployed_milli)},
          {"returned", json_thousandths(row.returned_milli)}};
}

ordered_json line(const AddresseeRow& row) {
  return {
      {"region", to_text(row.region)}, {"state", to_word(row.state)}, {"since", time_or_null(row.since)}, {"reason", row.reason}};
}

ordered_json line(const HoldingRow& row) {
  return {{"region", to_text(row.region)},
          {"resource", row.resource},
          {"name", row.name},
          {"item", row.item},
          {"state", to_word(row.state)},
          {"held", row.held},
          {"quantity", json_thousandths(row.quantity_milli)},
          {"unit", row.unit},
          {"eta", time_or_null(row.eta)},
          {"until", time_or_null(row.until)},
          {"updated_at", to_iso8601(row.updated_at)},
          {"reason", row.reason}};
}

ordered_json line(const ThreadMessageRow& row) {
  ordered_json to{{"region", to_text(row.region)},
                  {"publisher", row.publisher},
                  {"received_at", to_iso8601(row.received_at)},
                  {"ordinal", row.ordinal.value}};
  codec::write_json_fields(to, row.message);
  return to;
}

template <class Row>
ordered_json lines(const std::vector<Row>& rows) {
  ordered_json to = ordered_json::array();
  for (const Row& row : rows) to.push_back(line(row));
  return to;
}

ordered_json line(const MobilisationRow& row) {
  ordered_json to{{"id", row.id},
                  {"state", to_word(row.state)},
                  {"open", row.open},
                  {"status", to_word(row.status)},
                  {"level", to_word(row.level)},
                  {"region", to_text(row.region)},
                  {"place", row.place.text()},
                  {"agency", row.agency},
                  {"incident", row.incident},
                  {"description", row.description},
                  {"sent", to_iso8601(row.sent)},
                  {"answer_by", time_or_null(row.answer_by)},
                  {"updated_at", to_iso8601(row.updated_at)},
                  {"audience", row.audience.text()},
                  {"needs", lines(row.needs)},
                  {"members", lines(row.members)},
                  {"holdings", lines(row.holdings)}};
  if (!row.messages.empty()) to["messages"] = lines(row.messages);
  return to;
}

}  // namespace

std::string to_json(const MobilisationRows& rows) {
  return lines(rows.rows).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace lianxi
