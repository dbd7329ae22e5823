// The JSON contract (schemas/README.md): one rendering for `live`, the CLI and every `--json`. Text is UTF-8, one line,
// no trailing newline. Times are ISO 8601 in Beijing time; numbers in thousandths print as decimals.
#pragma once

#include <string>

#include "schemas/codec/segment.h"
#include "schemas/queries.h"

namespace lianxi {

// {"offset","region","epoch","lane","audience","seq","time","kind","topic","publisher","body"}; `body` holds the
// envelope (entity, status, place, agency, level, occurred_at) and the kind's fields; null if redacted or unreadable.
[[nodiscard]] std::string event_json(const FeedId& feed, Offset offset, const RecordView& record);

[[nodiscard]] std::string to_json(const ResourceRows& rows);  // an array; see the field list in schemas/README.md
[[nodiscard]] std::string to_json(const TotalRows& rows);
[[nodiscard]] std::string to_json(const AlertRows& rows);
[[nodiscard]] std::string to_json(const IncidentRows& rows);
[[nodiscard]] std::string to_json(const MobilisationRows& rows);
[[nodiscard]] std::string to_json(const StatusReport& status);
[[nodiscard]] std::string to_json(const ExplainReport& report);
[[nodiscard]] std::string to_json(const FeedVector& vector);  // an array of {"region","epoch","lane","audience","seq","hash"}
// Such an array, or an object that has one under "feeds": a whole status, a backup.json.
[[nodiscard]] Result<FeedVector> feed_vector_from_json(std::string_view text);
[[nodiscard]] std::string to_json(const std::vector<LinkRow>& links);
[[nodiscard]] std::string to_json(const RetentionPlan& plan);  // without the events
[[nodiscard]] std::string to_json(const Refusal& refusal);     // {"error":{"code","field","reason"}}

// "<kind>/<place>/<agency>", e.g. "alert/330803/emergency"
[[nodiscard]] std::string topic_of(const Envelope& envelope);

// The body of an event from JSON, as a spool file or `lianxi publish` gives it: {"kind":"incident","entity":…,"status":…,
// …}, the same names as event_json's body with "kind" and "audience" added. Unknown names are refused (a typo must not be
// lost); what is missing and has no default is missing_field.
[[nodiscard]] Result<Event> event_from_json(std::string_view text);

}  // namespace lianxi
