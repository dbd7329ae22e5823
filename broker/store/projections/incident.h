// Incidents: a set of reports, and one row that says where each of its fields comes from.
#pragma once

#include "broker/store/projections/applied.h"

namespace lianxi::store {

// Which report a field is taken from: any report of the home region before all others, then the latest by (epoch, ordinal),
// then by region. A total order, so that every order of arrival ends with the same report.
struct FieldSource {
  std::int64_t key = 0;  // home bit above the version; 0: none yet
  std::int64_t region = 0;
  auto operator<=>(const FieldSource&) const = default;
};
[[nodiscard]] FieldSource source_of(Version version, RegionCode from, RegionCode home);

// What the reports of one incident add up to. `take` in any order gives the same.
struct IncidentFields {
  IncidentState state{};
  PlaceCode place;
  FieldSource head;
  IncidentClass incident_class{};
  FieldSource class_from;
  Level level{};
  FieldSource level_from;
  std::string title;
  FieldSource title_from;
  TimeMs updated_at = 0;

  // A report that leaves class, level or title open does not count for that field.
  void take(const Envelope& envelope, const IncidentReport& report, FieldSource source, TimeMs received_at);
};

class IncidentProjection {
 public:
  explicit IncidentProjection(SQLite::Database& db);
  void apply(const Applied& applied);

 private:
  void write(std::int64_t id, const Applied& applied, const IncidentFields& fields, const Hash& row_hash);

  SQLite::Database& db_;
  SQLite::Statement find_, write_, report_;
};

}  // namespace lianxi::store
