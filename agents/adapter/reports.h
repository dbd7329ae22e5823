// What the adapter tells about a file or line, as JSON: agents/adapter/README.md names the fields.
#pragma once

#include <string>

#include "agents/adapter/publish.h"

namespace lianxi::adapter {

// {"record","line","entity","feed","seq","ordinal","offset"} or {"record","line","error":{"code","field","reason"}}
[[nodiscard]] std::string result_line(const RecordResult& result);
// A line for each accepted record.
[[nodiscard]] std::string receipt_text(const FileResult& result);
// {"file","at","accepted","refused","note","errors":[…]}
[[nodiscard]] std::string reason_text(const std::string& file, const FileResult& result, TimeMs now);
// The refused records as they came, under their heading.
[[nodiscard]] std::string refused_text(const FileResult& result);

}  // namespace lianxi::adapter
