#include "agents/formats/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <memory>
#include <mutex>
#include <string_view>

#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

struct FreeContext {
  void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};
struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

// Called at "<!DOCTYPE", before anything inside it is read: a CAP document has none, and all entity attacks need one.
void stop_at_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  auto* parser = static_cast<xmlParserCtxt*>(context);
  *static_cast<bool*>(parser->_private) = true;
  xmlStopParser(parser);
}

xmlParserInput* resolve_nothing(void*, const xmlChar*, const xmlChar*) {
  return nullptr;
}

// libxml2 prints some errors of encodings itself unless a handler takes them; the parser keeps the last one either way.
void print_nothing(void*, xmlErrorPtr) {}

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(text));
}

// libxml2 bounds the depth (256), so recursion is bounded.
XmlElement to_tree(xmlNode* node) {
  XmlElement element;
  if (node->ns != nullptr) element.ns = view(node->ns->href);
  element.name = view(node->name);
  element.line = xmlGetLineNo(node);
  std::string text;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) element.children.push_back(to_tree(child));
    if (child->type == XML_PI_NODE) {
      element.instructions.push_back({std::string(view(child->name)), std::string(view(child->content)), xmlGetLineNo(child)});
    }
    if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) text += view(child->content);
  }
  element.text = trimmed(text);
  return element;
}

std::string where(const xmlError* error) {
  return error == nullptr || error->line <= 0 ? std::string{} : "line " + std::to_string(error->line);
}

std::string what(const xmlError* error) {
  const std::string_view message = error == nullptr || error->message == nullptr ? "it ends too early" : error->message;
  return "not well-formed XML: " + std::string(trimmed(message));
}

}  // namespace

Result<XmlElement> read_xml(BytesView xml, std::size_t max_bytes, const XmlSchema* schema) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  xmlSetStructuredErrorFunc(nullptr, print_nothing);  // of this thread
  if (xml.size() > max_bytes) {
    return refuse(
        RefusalCode::oversize, "",
        "the document has " + std::to_string(xml.size()) + " bytes, at most " + std::to_string(max_bytes) + " are read");
  }
  if (xml.empty()) return refuse(RefusalCode::malformed, "", "the document is empty");
  bool doctype = false;
  const std::unique_ptr<xmlParserCtxt, FreeContext> parser(xmlNewParserCtxt());
  if (!parser) return refuse(RefusalCode::internal, "", "no memory for the XML parser");
  parser->_private = &doctype;
  parser->sax->internalSubset = stop_at_doctype;
  parser->sax->externalSubset = nullptr;
  parser->sax->resolveEntity = resolve_nothing;
  constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_BIG_LINES | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
  const std::unique_ptr<xmlDoc, FreeDocument> document(xmlCtxtReadMemory(
      parser.get(), reinterpret_cast<const char*>(xml.data()), static_cast<int>(xml.size()), nullptr, nullptr, kOptions));
  if (doctype && schema != nullptr) {
    return refuse(RefusalCode::malformed, "DOCTYPE", "the document has a DOCTYPE: take it out, with the entities it declares");
  }
  if (doctype) {
    return refuse(RefusalCode::cap_rule, "DOCTYPE", "a CAP document has no DOCTYPE: take it out, with the entities it declares");
  }
  xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (root == nullptr || parser->wellFormed == 0) {
    const xmlError* error = xmlCtxtGetLastError(parser.get());
    return refuse(RefusalCode::malformed, where(error), what(error));
  }
  if (schema != nullptr) {
    if (auto valid = schema->check(document.get()); !valid) return tl::unexpected(valid.error());
  }
  return to_tree(root);
}

}  // namespace lianxi::formats
