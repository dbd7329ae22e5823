// The question who receives an event, and its answer, for query_codec.cpp alone.
#pragma once

#include "schemas/codec/message_io.h"
#include "wire/query_generated.h"

namespace lianxi::codec {

template <class E>
std::uint8_t number(E value) {
  return static_cast<std::uint8_t>(value);
}

[[nodiscard]] flatbuffers::Offset<void> write_explain(Builder& out, const AskExplain& ask);
[[nodiscard]] flatbuffers::Offset<void> write_explain(Builder& out, const ExplainReport& report);
[[nodiscard]] AskExplain read_explain(MessageReader& in, const wire::AskExplain* from);
[[nodiscard]] ExplainReport read_explain(MessageReader& in, const wire::ExplainReport* from);

}  // namespace lianxi::codec
