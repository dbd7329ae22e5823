// Questions to the map and their answers, for query_codec.cpp alone.
#pragma once

#include "schemas/codec/message_io.h"
#include "wire/query_generated.h"

namespace lianxi::codec {

[[nodiscard]] std::optional<PlaceCode> read_place(MessageReader& in, const flatbuffers::String* from);
[[nodiscard]] std::uint32_t read_limit(MessageReader& in, std::uint32_t limit);

[[nodiscard]] flatbuffers::Offset<void> write_map(Builder& out, const AskResources& ask);
[[nodiscard]] flatbuffers::Offset<void> write_map(Builder& out, const AskTotals& ask);
[[nodiscard]] flatbuffers::Offset<void> write_map(Builder& out, const ResourceRows& rows);
[[nodiscard]] flatbuffers::Offset<void> write_map(Builder& out, const TotalRows& rows);
[[nodiscard]] AskResources read_map(MessageReader& in, const wire::AskResources* from);
[[nodiscard]] AskTotals read_map(MessageReader& in, const wire::AskTotals* from);
[[nodiscard]] ResourceRows read_map(MessageReader& in, const wire::ResourceRows* from);
[[nodiscard]] TotalRows read_map(MessageReader& in, const wire::TotalRows* from);

}  // namespace lianxi::codec
