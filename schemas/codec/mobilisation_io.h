// A mobilisation's table, both ways. For codec/*.cpp alone.
#pragma once

#include "schemas/codec/wire_io.h"
#include "wire/mobilisation_generated.h"

namespace lianxi::codec {

[[nodiscard]] flatbuffers::Offset<wire::Mobilisation> write_mobilisation(Builder& out, const Mobilisation& mobilisation);
// Numbers of vocabularies are not judged here: event_rules.h does.
[[nodiscard]] Mobilisation read_mobilisation(ValueReader& in, const wire::Mobilisation* from);

}  // namespace lianxi::codec
