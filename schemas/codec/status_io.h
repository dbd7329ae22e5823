// What a node says of itself, for query_codec.cpp alone.
#pragma once

#include "schemas/codec/message_io.h"
#include "wire/query_generated.h"

namespace lianxi::codec {

[[nodiscard]] flatbuffers::Offset<void> write_status(Builder& out, const StatusReport& status);
[[nodiscard]] StatusReport read_status(MessageReader& in, const wire::StatusReport* from);

}  // namespace lianxi::codec
