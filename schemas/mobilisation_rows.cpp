#include "schemas/mobilisation_rows.h"

#include <charconv>

#include "schemas/vocabulary.h"

namespace lianxi {

std::string cursor_of(const MobilisationRow& row) {
  return std::to_string(row.sent) + " " + std::to_string(static_cast<unsigned>(row.status)) + " " + row.id;
}

Result<MobilisationCursor> parse_mobilisation_cursor(std::string_view text) {
  MobilisationCursor cursor;
  unsigned status = 0;
  const char* end = text.data() + text.size();
  const auto sent = std::from_chars(text.data(), end, cursor.sent);
  const bool has_sent = sent.ec == std::errc{} && sent.ptr != end && *sent.ptr == ' ';
  const auto rest = has_sent ? std::from_chars(sent.ptr + 1, end, status) : sent;
  const bool has_status = has_sent && rest.ec == std::errc{} && rest.ptr != end && *rest.ptr == ' ' && is_known<Status>(status);
  if (!has_status) return refuse(RefusalCode::invalid_field, "after", "no cursor: take it from the last row of an answer");
  cursor.status = static_cast<Status>(status);
  cursor.id.assign(rest.ptr + 1, end);
  return cursor;
}

}  // namespace lianxi
