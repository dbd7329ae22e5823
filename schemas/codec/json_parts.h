// What the JSON codecs share. For codec/*.cpp alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "schemas/event.h"

namespace lianxi::codec {

// The envelope but kind and audience, then the kind's fields.
void write_json_body(nlohmann::ordered_json& to, const Event& event);

void write_json_fields(nlohmann::ordered_json& to, const Mobilisation& mobilisation);

// Thousandths as a decimal: 12500 is 12.5, 12000 is 12.
[[nodiscard]] nlohmann::ordered_json json_thousandths(std::int64_t milli);

[[nodiscard]] nlohmann::ordered_json json_feeds(const FeedVector& vector);

}  // namespace lianxi::codec
