// An XML document as a plain tree: the only door to libxml2. No network, no external or expanded entities, no DOCTYPE.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/ids.h"

struct _xmlDoc;

namespace lianxi::formats {

// <?target text?>
struct XmlInstruction {
  std::string target;
  std::string text;
  long line = 0;
};
struct XmlElement {
  std::string ns;    // namespace URI, may be empty
  std::string name;  // without prefix
  std::string text;  // own text, UTF-8, white space at both ends taken off
  std::vector<XmlElement> children;
  std::vector<XmlInstruction> instructions;
  long line = 0;
};

// What an XSD admits. Compiled once, then used from any thread; lives as long as its users.
class XmlSchema {
 public:
  // An XSD that the program carries. It may import the others by their names: nothing is read from disk or network.
  struct File {
    std::string_view name;
    std::string_view text;
  };
  // `files[0]` is the schema. Ends the process if they are wrong: they are part of the program. `files` live on.
  explicit XmlSchema(const std::vector<File>& files);
  ~XmlSchema();
  XmlSchema(const XmlSchema&) = delete;
  XmlSchema& operator=(const XmlSchema&) = delete;

 private:
  friend Result<XmlElement> read_xml(BytesView, std::size_t, const XmlSchema*);
  [[nodiscard]] Result<void> check(_xmlDoc* document) const;

  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

// Any encoding that the XML declaration names and the system knows. Refusals: oversize, malformed (with the line), cap_rule (with
// a schema: malformed) for a DOCTYPE; invalid_field for what `schema` does not admit, with the element's path and line.
[[nodiscard]] Result<XmlElement> read_xml(BytesView xml, std::size_t max_bytes, const XmlSchema* schema = nullptr);

}  // namespace lianxi::formats
