#include "broker/app/quarantine_command.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "broker/store/quarantine.h"

namespace lianxi::app {

namespace {

using nlohmann::json;

json to_object(const Quarantined& row) {
  return {{"feed", to_text(row.feed)},      {"sequence", row.differs.value}, {"held", to_hex(row.held)},
          {"delivered", to_hex(row.other)}, {"first", row.first.value},      {"last", row.last.value},
          {"by", to_text(row.by)},          {"at", to_iso8601(row.at)},      {"bytes", row.bytes}};
}

}  // namespace

int run_quarantine(const BrokerConfig& config, bool as_json, std::ostream& out, std::ostream& errors) {
  const auto rows = store::read_quarantine({.folder = config.file.journal_folder()});
  if (!rows) {
    errors << config.file.journal_folder() << ": " << rows.error().detail << '\n';
    return 1;
  }
  if (as_json) {
    json list = json::array();
    for (const Quarantined& row : *rows) list.push_back(to_object(row));
    out << json{{"quarantined", std::move(list)}}.dump() << '\n';
    return 0;
  }
  for (const Quarantined& row : *rows) out << store::evidence_text(row) << '\n';
  if (rows->empty()) {
    out << "nothing is quarantined: nobody delivered another history of a feed\n";
  } else {
    out << rows->size()
        << " segments of other histories are kept as evidence; `lianxi-broker verify` proves them. Each node keeps "
        << "what it holds, and nothing of this is in the view\n";
  }
  return 0;
}

}  // namespace lianxi::app
