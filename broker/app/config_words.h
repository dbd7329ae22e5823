// Reads the words, codes and keys that config files share. Each returns nothing after a finding.
#pragma once

#include <optional>
#include <string>

#include "broker/app/toml_tree.h"
#include "broker/core/throttle.h"
#include "schemas/vocabulary.h"

namespace lianxi::app {

// A parser's refusal told as a finding at `at`.
template <class T>
[[nodiscard]] std::optional<T> accept(TableReader& table, const TableReader::Text& at, Result<T> parsed) {
  if (parsed) return std::move(*parsed);
  table.error(at, "'" + at.value + "' cannot be used", parsed.error().reason);
  return std::nullopt;
}

// Words of an enum whose numbers run from `first` to `last`.
template <class E>
[[nodiscard]] std::optional<E> read_word(TableReader& table, const TableReader::Text& at, E first, E last) {
  std::vector<std::string_view> words;
  std::string list;
  for (unsigned n = static_cast<unsigned>(first); n <= static_cast<unsigned>(last); ++n) {
    const E candidate = static_cast<E>(n);
    words.push_back(to_word(candidate));
    if (words.back() == at.value) return candidate;
    list += (list.empty() ? "" : ", ") + std::string(words.back());
  }
  const std::string meant = nearest_word(at.value, words);
  table.error(at, "'" + at.value + "' is not known here",
              (meant.empty() ? "" : "did you mean '" + meant + "'? ") + ("known: " + list));
  return std::nullopt;
}

[[nodiscard]] std::optional<RegionCode> read_region(TableReader& table, const TableReader::Text& at);
// "tcp://host:port"; `any_port` admits '*', for sockets that we bind.
[[nodiscard]] std::optional<std::string> read_endpoint(TableReader& table, const TableReader::Text& at, bool any_port);
[[nodiscard]] std::optional<std::string> read_host_port(TableReader& table, const TableReader::Text& at);
// A CURVE key, Z85.
[[nodiscard]] std::optional<std::string> read_z85_key(TableReader& table, const TableReader::Text& at);
// Exactly `out.size()` bytes in hex.
[[nodiscard]] bool read_hex(TableReader& table, const TableReader::Text& at, std::span<std::uint8_t> out);
// True if two sockets cannot both be bound: the same port on the same, or on every, address.
[[nodiscard]] bool endpoints_clash(std::string_view a, std::string_view b);

// How fast one agent may publish: [limits] of the node's file, rate of a grant. 0: without bound.
[[nodiscard]] core::PublishRates read_rates(TableReader& table, core::PublishRates rates);

}  // namespace lianxi::app
