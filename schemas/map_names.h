// What a node's [map] files say: which codes took the place of former ones, and by which names capabilities are asked for.
// A value; without files it knows none, and every word means itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schemas/ids.h"

namespace lianxi {

struct MapNames {
  std::map<std::string, std::vector<PlaceCode>> aliases;         // a code no longer given out -> what took its place
  std::map<std::string, std::vector<std::string>> capabilities;  // a word -> its names in Chinese and English, and synonyms

  // The place, and what is filed under other codes for the same: what took its place, and the code that it took over alone.
  [[nodiscard]] std::vector<PlaceCode> places_of(const PlaceCode& place) const;
  // The words that a person means: the word itself, and each that has such a name, in any case. Never empty.
  [[nodiscard]] std::vector<std::string> words_of(const std::string& asked) const;
};

}  // namespace lianxi
