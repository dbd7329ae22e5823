#include "agents/formats/cap.h"

#include <algorithm>

#include "agents/formats/cap_scope.h"
#include "schemas/limits.h"

namespace lianxi::formats {
namespace {

constexpr std::string_view kCap11 = "urn:oasis:names:tc:emergency:cap:1.1";
constexpr std::string_view kCap12 = "urn:oasis:names:tc:emergency:cap:1.2";

// Words parted by blanks; one that holds blanks stands in double quotes (CAP: addresses, incidents).
std::vector<std::string> quoted_words(const std::string& text, const std::string& path, CapNotes& notes) {
  std::vector<std::string> found;
  std::string_view rest = text;
  for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
    const bool quoted = rest.front() == '"';
    if (quoted) rest.remove_prefix(1);
    const std::size_t end = quoted ? rest.find('"') : rest.find_first_of(kBlanks);
    if (quoted && end == std::string_view::npos) {
      notes.refuse(path, "has a quotation mark without its second one");
      return found;
    }
    if (end != 0) found.push_back(one_line(rest.substr(0, end)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return found;
}

// Identifier and sender name an alert inside `references`, so they hold nothing that parts the words there.
void check_name(const std::string& text, const std::string& path, CapNotes& notes) {
  if (text.find_first_of(" \t\r\n,<&") != std::string::npos) {
    notes.refuse(path, "holds no blank, comma, < or &: \"" + shortened(text) + "\"");
  }
}

std::vector<AlertReference> read_references(const CapScope& scope, const Alert& alert) {
  std::vector<AlertReference> found;
  CapNotes& notes = scope.notes();
  const std::string text = scope.optional("references");
  for (const std::string_view word : words(text)) {
    const std::string path = scope.path("references[" + std::to_string(found.size()) + "]");
    const auto parts = split(word, ',');
    if (parts.size() != 3 || parts[0].empty() || parts[1].empty()) {
      notes.refuse(path, "is sender,identifier,sent without blanks, not \"" + shortened(word) + "\"");
      return found;
    }
    AlertReference reference{std::string(parts[0]), std::string(parts[1]), cap_time(std::string(parts[2]), path, notes)};
    if (reference.sender == alert.sender && reference.identifier == alert.identifier && reference.sent == alert.sent) {
      notes.refuse(path, "refers to the alert itself: name the earlier alert, or leave it out");
    }
    if (reference.sent > alert.sent) notes.warn(path, "was sent after the alert that refers to it");
    found.push_back(std::move(reference));
  }
  const bool needs = alert.msg_type != MsgType::Alert;
  if (needs && found.empty()) {
    notes.refuse(scope.path("references"),
                 "is required with msgType " + std::string(to_word(alert.msg_type)) + ": name the alert it is about");
  }
  return found;
}

AlertResource read_resource(const CapScope& scope, bool cap11) {
  scope.check_names({"resourceDesc", "mimeType", "size", "uri", "derefUri", "digest"}, {});
  AlertResource resource;
  resource.description = scope.required("resourceDesc");
  resource.mime_type = one_line(cap11 ? scope.optional("mimeType") : scope.required("mimeType"));
  if (const std::string size = scope.optional("size"); !size.empty()) {
    resource.size_bytes = number<std::int64_t>(size);
    if (!resource.size_bytes || *resource.size_bytes < 0) {
      scope.notes().refuse(scope.path("size"), "is a whole number of bytes, not \"" + shortened(size) + "\"");
    }
  }
  resource.uri = scope.line("uri");
  resource.digest = scope.line("digest");
  if (!scope.all("derefUri").empty())
    scope.notes().warn(scope.path("derefUri"), "is not carried: publish the file and give its uri");
  return resource;
}

void read_times(const CapScope& scope, TimeMs sent, AlertInfo& info) {
  info.effective = scope.time("effective");
  info.onset = scope.time("onset");
  info.expires = scope.time("expires");
  if (info.expires && *info.expires <= sent)
    scope.notes().warn(scope.path("expires"), "is not after sent: expired from the start");
}

AlertInfo read_info(const CapScope& scope, TimeMs sent, bool cap11) {
  scope.check_names({"language", "event", "urgency", "severity", "certainty", "audience", "effective", "onset", "expires",
                     "senderName", "headline", "description", "instruction", "web", "contact"},
                    {"category", "responseType", "eventCode", "parameter", "resource", "area"});
  AlertInfo info;
  if (std::string language = scope.line("language"); !language.empty()) info.language = std::move(language);
  info.categories = scope.all_words<Category>("category");
  if (info.categories.empty()) scope.notes().refuse(scope.path("category"), "is required: add at least one <category>");
  info.event = one_line(scope.required("event"));
  info.response_types = scope.all_words<ResponseType>("responseType");
  info.urgency = scope.word<Urgency>("urgency");
  info.severity = scope.word<Severity>("severity");
  if (scope.optional("certainty") == "Very Likely") {  // CAP 1.0's word; both later versions ask to read it so
    info.certainty = Certainty::Likely;
    scope.notes().warn(scope.path("certainty"), "Very Likely is a word of CAP 1.0, read as Likely");
  } else {
    info.certainty = scope.word<Certainty>("certainty");
  }
  info.audience_text = scope.optional("audience");
  info.event_codes = scope.name_values("eventCode");
  read_times(scope, sent, info);
  info.sender_name = scope.optional("senderName");
  info.headline = scope.optional("headline");
  info.description = scope.optional("description");
  info.instruction = scope.optional("instruction");
  info.web = scope.line("web");
  info.contact = scope.optional("contact");
  info.parameters = scope.name_values("parameter");
  for (const CapScope& resource : scope.scopes("resource")) info.resources.push_back(read_resource(resource, cap11));
  for (const CapScope& area : scope.scopes("area")) read_area(area, info.areas.emplace_back());
  return info;
}

void check_scope(const CapScope& scope, const Alert& alert) {
  CapNotes& notes = scope.notes();
  if (alert.scope == Scope::Restricted && alert.restriction.empty()) {
    notes.refuse(scope.path("restriction"), "is required with scope Restricted: say who may see the alert");
  }
  if (alert.scope != Scope::Restricted && !alert.restriction.empty()) {
    notes.refuse(scope.path("restriction"), "stands only with scope Restricted: mend the scope, or leave it out");
  }
  if (alert.scope == Scope::Private && alert.addresses.empty()) {
    notes.refuse(scope.path("addresses"), "is required with scope Private: say whom the alert is for");
  }
}

CapDocument read_alert(const CapScope& scope, bool cap11) {
  scope.check_names({"identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "note",
                     "references", "incidents", "password"},
                    {"code", "info"});
  CapNotes& notes = scope.notes();
  CapDocument document;
  Alert& alert = document.alert;
  alert.identifier = scope.required("identifier");
  check_name(alert.identifier, scope.path("identifier"), notes);
  alert.sender = scope.required("sender");
  check_name(alert.sender, scope.path("sender"), notes);
  if (const std::string sent = scope.required("sent"); !sent.empty()) alert.sent = cap_time(sent, scope.path("sent"), notes);
  document.status = scope.word<Status>("status");
  alert.msg_type = scope.word<MsgType>("msgType");
  alert.source = scope.optional("source");
  alert.scope = scope.word<Scope>("scope");
  alert.restriction = scope.optional("restriction");
  alert.addresses = quoted_words(scope.optional("addresses"), scope.path("addresses"), notes);
  for (const std::string& code : scope.texts("code")) alert.codes.push_back(one_line(code));
  alert.note = scope.optional("note");
  if (!notes.broken) alert.references = read_references(scope, alert);
  alert.incidents = quoted_words(scope.optional("incidents"), scope.path("incidents"), notes);
  if (!scope.all("password").empty()) notes.warn(scope.path("password"), "is an element of CAP 1.0 and was left out");
  if (!notes.broken) check_scope(scope, alert);
  for (const CapScope& info : scope.scopes("info")) alert.infos.push_back(read_info(info, alert.sent, cap11));
  return document;
}

}  // namespace

Result<CapDocument> read_cap(BytesView xml) {
  const Result<XmlElement> root = read_xml(xml, kMaxCapBytes);
  if (!root) return tl::unexpected(root.error());
  const bool cap11 = root->ns == kCap11;
  if (root->name != "alert" || (!cap11 && root->ns != kCap12)) {
    return refuse(RefusalCode::cap_rule, "alert",
                  "the root element is <alert> of " + std::string(kCap12) + " (or 1.1), not <" + shortened(root->name) +
                      "> of \"" + shortened(root->ns) + "\"; an index of alerts is not an alert: fetch the documents it names");
  }
  CapNotes notes;
  CapDocument document = read_alert(CapScope(*root, "alert", notes), cap11);
  if (notes.broken) return tl::unexpected(*notes.broken);
  document.warnings = std::move(notes.warnings);
  return document;
}

}  // namespace lianxi::formats
