// EDXL-RM 1.0 (OASIS) documents to mobilisations and back: all 16 messages. Validated against our own XSD (edxl_rm_*.xsd, carried
// by the program). Network and entity expansion are off, a DOCTYPE is refused. README.md of this folder is the table of what
// becomes what. What the standard has and a mobilisation has not is kept as text in a description and told as a warning, or
// refused; what a mobilisation has and the standard has no place for stands in processing instructions, which every other reader
// passes over.
#pragma once

#include <optional>

#include "schemas/event.h"

namespace lianxi::formats {

struct MobilisationDocument {
  Mobilisation mobilisation;
  std::optional<RegionCode> home;  // of the thread, as a document of ours says it
  std::optional<Status> status;    // likewise
  std::optional<Level> level;      // likewise
  std::optional<RegionCode> by;    // whose node accepted it, likewise: nobody else may say it again
  std::vector<std::string> warnings;
  std::vector<long> item_lines, contact_lines;  // where they begin in the document
};
// Refusals: oversize, malformed (not XML, a DOCTYPE), invalid_field with the element's path and line as its field
// ("CommitResource/ResourceInformation[2]/Resource (line 31)").
[[nodiscard]] Result<MobilisationDocument> read_edxl_rm(BytesView xml);

struct EdxlContext {
  RegionCode home;  // of the thread, where the document does not say it
  std::string agency;
  Audience audience;
  PlaceCode place;
  Status status = Status::Actual;  // likewise
};
// The event, by the rules of check_event; a refusal names the XML element, its line, and how to mend it. occurred_at: sent.
[[nodiscard]] Result<Event> mobilisation_event(const MobilisationDocument& document, const EdxlContext& context);
// A field of the event (`items[2].resource`) as the element that says it, with its line; itself where no element does.
[[nodiscard]] std::string edxl_field(std::string_view field, const MobilisationDocument& document);

// UTF-8, valid by the schema, for any mobilisation that check_event admits. A message without contacts names its agency as its
// Sender, for the standard wants one. `by`: whose node accepted it, if that is known.
[[nodiscard]] std::string write_edxl_rm(const Event& event, std::optional<RegionCode> by = std::nullopt);

}  // namespace lianxi::formats
