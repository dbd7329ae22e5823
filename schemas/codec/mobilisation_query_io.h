// The question for mobilisations and its answer, for query_codec.cpp alone.
#pragma once

#include "schemas/codec/message_io.h"
#include "wire/query_generated.h"

namespace lianxi::codec {

[[nodiscard]] flatbuffers::Offset<void> write_mobilisations(Builder& out, const AskMobilisations& ask);
[[nodiscard]] flatbuffers::Offset<void> write_mobilisations(Builder& out, const MobilisationRows& rows);
[[nodiscard]] AskMobilisations read_mobilisations(MessageReader& in, const wire::AskMobilisations* from);
[[nodiscard]] MobilisationRows read_mobilisations(MessageReader& in, const wire::MobilisationRows* from);

}  // namespace lianxi::codec
