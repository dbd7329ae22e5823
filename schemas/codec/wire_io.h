// Pieces that the FlatBuffers codecs share. For codec/*.cpp alone: it draws in the generated headers.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <memory>

#include "schemas/event.h"
#include "schemas/limits.h"
#include "wire/common_generated.h"

namespace lianxi::codec {

// FlatBuffers reads numbers where they lie; bytes from a socket or a file may lie anywhere. Borrows when it can.
class AlignedBytes {
 public:
  explicit AlignedBytes(BytesView bytes) : view_(bytes) {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0) return;
    std::uint8_t* to = near_.data();
    if (bytes.size() > near_.size()) {
      far_ = std::make_unique<std::uint64_t[]>(bytes.size() / 8 + 1);
      to = reinterpret_cast<std::uint8_t*>(far_.get());
    }
    std::copy(bytes.begin(), bytes.end(), to);
    view_ = {to, bytes.size()};
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  [[nodiscard]] BytesView view() const { return view_; }

 private:
  alignas(8) std::array<std::uint8_t, 2048> near_;
  std::unique_ptr<std::uint64_t[]> far_;
  BytesView view_;
};

// The size must have been checked against a bound before.
[[nodiscard]] inline flatbuffers::Verifier verifier_of(BytesView bytes, std::uint32_t max_tables) {
  flatbuffers::Verifier::Options options;
  options.max_depth = kMaxTableDepth;
  options.max_tables = max_tables;
  return flatbuffers::Verifier(bytes.data(), bytes.size(), options);
}

template <class T>
[[nodiscard]] flatbuffers::uoffset_t size_of(const flatbuffers::Vector<T>* list) {
  return list == nullptr ? 0 : list->size();
}

// Copies values out of a verified buffer. A hostile buffer can point a thousand fields at one long text: the copies are
// held to a small multiple of the buffer's size, and `overdrawn` says when that was not enough.
class ValueReader {
 public:
  explicit ValueReader(std::size_t buffer_bytes) : budget_(kMaxSharing * buffer_bytes) {}

  [[nodiscard]] std::string text(const flatbuffers::String* from) {
    return from != nullptr && take(from->size()) ? from->str() : std::string();
  }
  // Where it lies; costs as much as its copy would, so that what is taken as a view can be decoded too.
  [[nodiscard]] std::string_view view(const flatbuffers::String* from) {
    return from != nullptr && take(from->size()) ? from->string_view() : std::string_view();
  }
  // How many elements of a vector may be read: all or none.
  template <class T>
  [[nodiscard]] flatbuffers::uoffset_t count(const flatbuffers::Vector<T>* from) {
    return from != nullptr && take(std::size_t{from->size()} * sizeof(T)) ? from->size() : 0;
  }
  [[nodiscard]] std::vector<std::string> texts(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* from) {
    return list<std::string>(from, [&](const flatbuffers::String* item) { return text(item); });
  }
  [[nodiscard]] std::vector<NameValue> name_values(const flatbuffers::Vector<flatbuffers::Offset<wire::NameValue>>* from) {
    return list<NameValue>(from, [&](const wire::NameValue* item) { return NameValue{text(item->name()), text(item->value())}; });
  }
  template <class E, class T>
  [[nodiscard]] std::vector<E> enums(const flatbuffers::Vector<T>* from) {
    return list<E>(from, [](T item) { return static_cast<E>(item); });
  }
  [[nodiscard]] Bytes bytes(const flatbuffers::Vector<std::uint8_t>* from) {
    return count(from) == 0 ? Bytes{} : Bytes(from->begin(), from->end());
  }
  template <class To, class T, class Read>
  [[nodiscard]] std::vector<To> list(const flatbuffers::Vector<T>* from, Read read) {
    std::vector<To> to;
    const auto n = count(from);
    to.reserve(n);
    for (flatbuffers::uoffset_t i = 0; i < n; ++i) to.push_back(read(from->Get(i)));
    return to;
  }
  [[nodiscard]] bool overdrawn() const { return overdrawn_; }

 private:
  static constexpr std::size_t kMaxSharing = 8;
  bool take(std::size_t size) {
    if (size > budget_) {
      overdrawn_ = true;
      budget_ = 0;
      return false;
    }
    budget_ -= size;
    return true;
  }
  std::size_t budget_;
  bool overdrawn_ = false;
};

[[nodiscard]] inline std::optional<LonLat> read_point(const wire::LonLat* from) {
  if (from == nullptr) return std::nullopt;
  return LonLat{from->lon(), from->lat()};
}

// Writing. Children come before parents; empty texts and lists are left out unless their field is required.
using Builder = flatbuffers::FlatBufferBuilder;
using TextOffset = flatbuffers::Offset<flatbuffers::String>;

[[nodiscard]] inline TextOffset write_text(Builder& out, std::string_view text) {
  return text.empty() ? TextOffset() : out.CreateString(text.data(), text.size());
}
[[nodiscard]] inline TextOffset write_required(Builder& out, std::string_view text) {
  return out.CreateString(text.data(), text.size());
}
template <class Offset, class List, class Write>
[[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<Offset>> write_list(Builder& out, const List& list, Write write) {
  if (list.empty()) return {};
  std::vector<Offset> offsets;
  offsets.reserve(list.size());
  for (const auto& item : list) offsets.push_back(write(item));
  return out.CreateVector(offsets);
}
[[nodiscard]] inline flatbuffers::Offset<flatbuffers::Vector<TextOffset>> write_texts(Builder& out,
                                                                                      const std::vector<std::string>& list) {
  return write_list<TextOffset>(out, list, [&](const std::string& text) { return write_required(out, text); });
}
[[nodiscard]] inline flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::NameValue>>> write_name_values(
    Builder& out, const std::vector<NameValue>& list) {
  return write_list<flatbuffers::Offset<wire::NameValue>>(out, list, [&](const NameValue& item) {
    const auto name = write_required(out, item.name);
    const auto value = write_required(out, item.value);
    return wire::CreateNameValue(out, name, value);
  });
}
template <class T, class List>
[[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<T>> write_numbers(Builder& out, const List& list) {
  if (list.empty()) return {};
  std::vector<T> numbers;
  numbers.reserve(list.size());
  for (const auto& item : list) numbers.push_back(static_cast<T>(item));
  return out.CreateVector(numbers);
}
[[nodiscard]] inline flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> write_bytes(Builder& out, BytesView bytes) {
  return bytes.empty() ? flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>() : out.CreateVector(bytes.data(), bytes.size());
}
[[nodiscard]] inline Bytes finished(const Builder& out) {
  return {out.GetBufferPointer(), out.GetBufferPointer() + out.GetSize()};
}

// A struct field is written by pointer; null leaves it out.
class PointWriter {
 public:
  explicit PointWriter(const std::optional<LonLat>& point) : present_(point.has_value()) {
    if (present_) point_ = wire::LonLat(point->lon, point->lat);
  }
  [[nodiscard]] const wire::LonLat* get() const { return present_ ? &point_ : nullptr; }

 private:
  bool present_;
  wire::LonLat point_;
};

}  // namespace lianxi::codec
