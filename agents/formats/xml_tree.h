// An XML document as a plain tree: the only door to libxml2. No network, no external or expanded entities, no DOCTYPE.
#pragma once

#include <string>
#include <vector>

#include "schemas/ids.h"

namespace lianxi::formats {

struct XmlElement {
  std::string ns;    // namespace URI, may be empty
  std::string name;  // without prefix
  std::string text;  // own text, UTF-8, white space at both ends taken off
  std::vector<XmlElement> children;
  long line = 0;
};

// Any encoding that the XML declaration names and the system knows. Refusals: oversize, malformed (with the line), cap_rule for
// a DOCTYPE.
[[nodiscard]] Result<XmlElement> read_xml(BytesView xml, std::size_t max_bytes);

}  // namespace lianxi::formats
