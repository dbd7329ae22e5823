// Files of resources, of any size, as events one after another: CSV and GeoJSON. README.md of this folder is the page of both.
// Memory: one record, and 16 bytes or so for each id that was seen. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/formats/capability_words.h"
#include "agents/formats/csv.h"
#include "schemas/event.h"

namespace lianxi::formats {

enum class Datum : std::uint8_t { cgcs2000, wgs84, gcj02 };

struct ResourceFileContext {
  RegionCode region;
  std::string agency;
  Audience audience;
  std::optional<Datum> default_datum;
  Status status = Status::Actual;
  TimeMs now = 0;
  const CapabilityWords* words = nullptr;  // borrowed; with them, capabilities may be written by their names
};

// All that is wrong, of which the first are kept.
struct RowProblems {
  std::vector<Refusal> first;  // at most kMaxRowProblems
  std::size_t all = 0;
  std::size_t rows = 0;  // that have any
  void add(Refusal refusal);
};

// Columns that no row has, by their English headings.
struct Unsaid {
  std::vector<std::string_view> kept;     // a resource that is known keeps what it has; a new one is available, in its region
  std::vector<std::string_view> emptied;  // empty in every resource of the file, whatever it had
};

class ResourceFile {
 public:
  virtual ~ResourceFile() = default;
  // The next good row into `event`, whose memory is used again; false at the end. Bad rows on the way go to problems(): csv_row
  // with field "row 17, column lat" (in a file whose rows have line breaks "row 17 (line 21), column lat"; in GeoJSON
  // "feature 17 (line 40), properties.type"). What makes the file unreadable is told there as well, and ends it.
  [[nodiscard]] virtual bool next(Event& event) = 0;
  [[nodiscard]] const RowProblems& problems() const { return problems_; }
  [[nodiscard]] std::size_t rows() const { return rows_; }  // seen so far, good and bad
  [[nodiscard]] virtual Unsaid unsaid() const = 0;          // by the rows seen so far

 protected:
  RowProblems problems_;
  std::size_t rows_ = 0;
};

// Columns, in any order, English or Chinese headings: see README.md. id, type and name are required, and words may be Chinese. A
// missing place is the region; what no column says of state, quantity, place and contact stays as it was. A coordinate whose
// datum nobody says is refused, as are unknown headings, an id that comes twice and every bad cell.
[[nodiscard]] std::unique_ptr<ResourceFile> open_resources_csv(ReadBlock read, const ResourceFileContext& context);
// A FeatureCollection (RFC 7946). Coordinates are WGS-84 unless a member `datum` of the collection, before its features, or of a
// feature's properties says CGCS2000 or GCJ-02.
[[nodiscard]] std::unique_ptr<ResourceFile> open_resources_geojson(ReadBlock read, const ResourceFileContext& context);

[[nodiscard]] Result<Datum> parse_datum(std::string_view word);
// WGS84 differs from CGCS2000 by centimetres and is taken as equal.
[[nodiscard]] LonLat to_cgcs2000(LonLat point, Datum datum);

}  // namespace lianxi::formats
