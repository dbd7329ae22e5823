#include "agents/adapter/reports.h"

#include <nlohmann/json.hpp>

namespace lianxi::adapter {
namespace {

using Json = nlohmann::ordered_json;

Json error_of(const Refusal& refusal) {
  return {{"code", to_word(refusal.code)}, {"field", refusal.field}, {"reason", refusal.reason}};
}

Json result_of(const RecordResult& result) {
  Json json{{"record", result.number}};
  if (result.line > 0) json["line"] = result.line;
  if (!result.entity.empty()) json["entity"] = result.entity;
  if (!result.outcome) {
    json["error"] = error_of(result.outcome.error());
    return json;
  }
  const sdk::Receipt& receipt = *result.outcome;
  json["feed"] = to_text(receipt.feed);
  json["seq"] = receipt.sequence.value;
  json["ordinal"] = receipt.ordinal.value;
  json["offset"] = receipt.offset.value;
  return json;
}

std::string text_of(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);  // a reason may quote broken bytes
}

std::string note_of(const FileResult& result) {
  if (result.accepted() == 0) return "nothing of this file was published; mend it and put it into the spool folder again";
  if (result.whole)
    return "the file was published in part: done/ has the receipts; mend it and put it into the spool folder again";
  return "the other records were published and have receipts in done/; mend only the refused ones and put them into the spool "
         "folder again";
}

}  // namespace

std::string result_line(const RecordResult& result) {
  return text_of(result_of(result));
}

std::string receipt_text(const FileResult& result) {
  std::string text;
  for (const RecordResult& record : result.records) {
    if (record.outcome) text += result_line(record) + "\n";
  }
  return text;
}

std::string reason_text(const std::string& file, const FileResult& result, TimeMs now) {
  Json errors = Json::array();
  for (const Refusal& refusal : result.refused) errors.push_back({{"error", error_of(refusal)}});
  for (const RecordResult& record : result.records) {
    if (!record.outcome) errors.push_back(result_of(record));
  }
  const Json json{{"file", file},
                  {"at", to_iso8601(now)},
                  {"accepted", result.accepted()},
                  {"refused", result.refusals()},
                  {"note", note_of(result)},
                  {"errors", std::move(errors)}};
  return text_of(json, 2) + "\n";
}

std::string refused_text(const FileResult& result) {
  std::string text = result.heading.empty() ? "" : result.heading + "\n";
  for (const RecordResult& record : result.records) {
    if (!record.outcome) text += record.raw + "\n";
  }
  return text;
}

}  // namespace lianxi::adapter
