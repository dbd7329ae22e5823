// What a resource can do, in the words of people: config/capabilities.toml, read in one place. Immutable once read; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "schemas/result.h"

namespace lianxi::formats {

class CapabilityWords {
 public:
  // [capabilities] word = "name", or word = { any key = "name" or ["names"] }: every text in it names the word. Refusals
  // (config): not to be read, or a name of two words.
  [[nodiscard]] static Result<CapabilityWords> load(const std::string& path);
  [[nodiscard]] static Result<CapabilityWords> parse(std::string_view toml, const std::string& path);

  // The word that `name` means, which may be the word itself; case does not count. Nothing if nobody knows it.
  [[nodiscard]] std::optional<std::string_view> word_of(std::string_view name) const;
  [[nodiscard]] bool empty() const { return words_.empty(); }

 private:
  std::unordered_map<std::string, std::string> words_;  // by name, lower case
};

}  // namespace lianxi::formats
