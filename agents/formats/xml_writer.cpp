#include "agents/formats/xml_writer.h"

namespace lianxi::formats {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\r':  // a parser would make a line feed of it
        out += "&#13;";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

void XmlWriter::begin_line() {
  out_.append(2 * open_.size(), ' ');
}

void XmlWriter::open_root(std::string_view name, const std::vector<std::pair<std::string_view, std::string_view>>& namespaces) {
  out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
  out_ += name;
  for (const auto& [prefix, uri] : namespaces) {
    out_ += " xmlns:";
    out_ += prefix;
    out_ += "=\"";
    out_ += uri;
    out_ += '"';
  }
  out_ += ">\n";
  open_.emplace_back(name);
}

void XmlWriter::open(std::string_view name) {
  begin_line();
  out_ += '<';
  out_ += name;
  out_ += ">\n";
  open_.emplace_back(name);
}

void XmlWriter::close() {
  const std::string name = std::move(open_.back());
  open_.pop_back();
  begin_line();
  out_ += "</" + name + ">\n";
}

void XmlWriter::text(std::string_view name, std::string_view value) {
  begin_line();
  out_ += '<';
  out_ += name;
  if (value.empty()) {
    out_ += "/>\n";
    return;
  }
  out_ += '>';
  append_escaped(out_, value);
  out_ += "</";
  out_ += name;
  out_ += ">\n";
}

void XmlWriter::instruction(std::string_view target, std::string_view text) {
  begin_line();
  out_ += "<?";
  out_ += target;
  out_ += ' ';
  out_ += text;
  out_ += "?>\n";
}

}  // namespace lianxi::formats
