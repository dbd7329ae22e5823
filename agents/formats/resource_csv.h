// A CSV of resources at once, for files that are whole or nothing; resource_file.h reads them row by row.
#pragma once

#include "agents/formats/resource_file.h"

namespace lianxi::formats {

using ResourceCsvContext = ResourceFileContext;
// All rows or the refusals of all bad ones, up to kMaxRowProblems: an import is whole or nothing.
[[nodiscard]] Result<std::vector<Event>, std::vector<Refusal>> read_resources_csv(std::string_view text,
                                                                                  const ResourceCsvContext& context);

// GCJ-02 -> CGCS2000 by iteration, within 0.5 m inside China; outside China the same point.
[[nodiscard]] LonLat from_gcj02(LonLat point);
[[nodiscard]] LonLat to_gcj02(LonLat point);

}  // namespace lianxi::formats
