// CAP 1.1 and 1.2 documents to alerts. Network and entity expansion are off; DOCTYPE is refused. Empty optional elements are
// tolerated; a broken document is refused with cap_rule, and the reason names the rule (e.g. "alert.scope is required").
#pragma once

#include "schemas/event.h"

namespace lianxi::formats {

struct CapDocument {
  Status status = Status::Actual;
  Alert alert;
  std::vector<std::string> warnings;  // tolerated and noted: post-dated reference, expires = sent, …
};

[[nodiscard]] Result<CapDocument> read_cap(BytesView xml);

struct CapContext {
  RegionCode region;  // home: the node that publishes
  std::string agency;
  Audience audience;         // scope Private or Restricted never leaves as `conference`: then local
  PlaceCode fallback_place;  // where no geocode resolves
};
// Place: the longest common prefix of the geocodes that are GB/T 2260 codes (6, 9, 12 digits; 12379 too), else the fallback.
// Level: of the gravest severity. occurred_at: sent.
[[nodiscard]] Event alert_event(const CapDocument& document, const CapContext& context);

}  // namespace lianxi::formats
