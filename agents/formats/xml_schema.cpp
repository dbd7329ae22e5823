// XSDs of xml_tree.h: those that the program carries, and what a document breaks of them.
#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlschemas.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "agents/formats/text.h"
#include "agents/formats/xml_tree.h"

namespace lianxi::formats {
namespace {

struct FreeSchema {
  void operator()(xmlSchema* schema) const { xmlSchemaFree(schema); }
};
struct FreeSchemaParser {
  void operator()(xmlSchemaParserCtxt* context) const { xmlSchemaFreeParserCtxt(context); }
};
struct FreeValidation {
  void operator()(xmlSchemaValidCtxt* context) const { xmlSchemaFreeValidCtxt(context); }
};

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(text));
}

// The XSDs of the program, as libxml2 asks for them: by names that no disk or network has.
constexpr std::string_view kScheme = "lianxi-xsd:";
std::map<std::string, std::string_view, std::less<>>& carried() {
  static std::map<std::string, std::string_view, std::less<>> files;
  return files;
}
std::mutex& carried_mutex() {
  static std::mutex mutex;
  return mutex;
}

int is_carried(const char* name) {
  return std::string_view(name).starts_with(kScheme) ? 1 : 0;
}
void* open_carried(const char* name) {
  const std::lock_guard lock(carried_mutex());
  const auto found = carried().find(std::string_view(name).substr(kScheme.size()));
  return found == carried().end() ? nullptr : new std::string_view(found->second);
}
int read_carried(void* opened, char* buffer, int size) {
  auto& rest = *static_cast<std::string_view*>(opened);
  const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(size));
  std::memcpy(buffer, rest.data(), count);
  rest.remove_prefix(count);
  return static_cast<int>(count);
}
int close_carried(void* opened) {
  delete static_cast<std::string_view*>(opened);
  return 0;
}

std::string step_of(const xmlNode* node) {
  std::size_t before = 0, all = 0;
  const xmlNode* first = node->parent == nullptr ? node : node->parent->children;
  bool passed = false;
  for (const xmlNode* other = first; other != nullptr; other = other->next) {
    if (other->type != XML_ELEMENT_NODE || view(other->name) != view(node->name)) continue;
    ++all;
    if (!passed) ++before;
    if (other == node) passed = true;
  }
  std::string step(view(node->name));
  if (all > 1) step += fmt::format("[{}]", before);
  return step;
}

std::string path_of(const xmlNode* node) {
  std::string path;
  for (; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
    const std::string step = step_of(node);
    path = path.empty() ? step : step + "/" + path;
  }
  return path;
}

// libxml2 says "Element '{namespace}Name': This element is not expected. Expected is ( {namespace}Other )."
std::string said(std::string_view message) {
  std::string text;
  for (std::size_t at = 0; at < message.size(); ++at) {
    const bool name = message.substr(at).starts_with("{urn:") || message.substr(at).starts_with("{http:");
    if (name && message.find('}', at) != std::string_view::npos) {
      at = message.find('}', at);
    } else {
      text += message[at];
    }
  }
  if (text.starts_with("Element '")) {
    if (const std::size_t end = text.find("': "); end != std::string::npos) text.erase(0, end + 3);
  }
  if (text.starts_with("[facet")) text.erase(0, std::min(text.find("] "), text.size() - 2) + 2);
  return one_line(text);
}

struct Found {
  std::optional<Refusal> first;
};

void note(void* into, xmlErrorPtr error) {
  auto& found = *static_cast<Found*>(into);
  if (found.first) return;
  const auto* node = static_cast<const xmlNode*>(error->node);
  const std::string path = node == nullptr ? std::string("document") : path_of(node);
  const long line = node == nullptr ? error->line : xmlGetLineNo(node);
  const std::string text = error->message == nullptr ? "it is not as the schema says" : said(error->message);
  found.first = Refusal{RefusalCode::invalid_field, fmt::format("{} (line {})", path, line), text, 0};
}

void begin() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmlInitParser();
    xmlRegisterInputCallbacks(is_carried, open_carried, read_carried, close_carried);
  });
}

}  // namespace

struct XmlSchema::Compiled {
  std::unique_ptr<xmlSchema, FreeSchema> schema;
};

XmlSchema::XmlSchema(const std::vector<File>& files) : compiled_(std::make_unique<Compiled>()) {
  begin();
  {
    const std::lock_guard lock(carried_mutex());
    for (const File& file : files) carried().insert_or_assign(std::string(file.name), file.text);
  }
  const std::string location = std::string(kScheme) + std::string(files.front().name);
  const std::unique_ptr<xmlSchemaParserCtxt, FreeSchemaParser> parser(xmlSchemaNewParserCtxt(location.c_str()));
  if (parser) compiled_->schema.reset(xmlSchemaParse(parser.get()));
  if (!compiled_->schema) std::abort();
}

XmlSchema::~XmlSchema() = default;

Result<void> XmlSchema::check(xmlDoc* document) const {
  const std::unique_ptr<xmlSchemaValidCtxt, FreeValidation> context(xmlSchemaNewValidCtxt(compiled_->schema.get()));
  if (!context) return refuse(RefusalCode::internal, "", "no memory to check the document");
  Found found;
  xmlSchemaSetValidStructuredErrors(context.get(), note, &found);
  const int wrong = xmlSchemaValidateDoc(context.get(), document);
  if (found.first) return tl::unexpected(std::move(*found.first));
  if (wrong != 0) return refuse(RefusalCode::invalid_field, "document", "it is not as the schema says");
  return {};
}

}  // namespace lianxi::formats
