// Feed vectors as JSON, as `lianxi status --json` prints them under "feeds": objects with region, epoch, lane, audience, seq,
// hash.
#pragma once

#include <string>

#include "schemas/ids.h"
#include "schemas/result.h"

namespace lianxi::app {

// The array as text.
[[nodiscard]] std::string feed_vector_json(const FeedVector& vector);
// An array of them, or an object that has one under "feeds": a whole status, a backup.json. The refusal's field is the file.
[[nodiscard]] Result<FeedVector> read_feed_vector(const std::string& file);

}  // namespace lianxi::app
