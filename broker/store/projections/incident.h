// Incidents: a set of reports, and one row that says where each of its fields comes from.
#pragma once

#include "broker/store/projections/row_cache.h"

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

  // IncidentReport or ReportView. A report that leaves class, level or title open does not count for that field.
  template <class Report>
  void take(const Envelope& envelope, const Report& report, FieldSource source, TimeMs received_at);
};

template <class Report>
void IncidentFields::take(const Envelope& envelope, const Report& report, FieldSource source, TimeMs received_at) {
  if (source > head) {
    head = source;
    state = report.state;
    place = envelope.place;
  }
  if (report.incident_class != IncidentClass::unknown && source > class_from) {
    class_from = source;
    incident_class = report.incident_class;
  }
  if (envelope.level != Level::none && source > level_from) {
    level_from = source;
    level = envelope.level;
  }
  if (!report.title.empty() && source > title_from) {
    title_from = source;
    title = report.title;
  }
  updated_at = std::max(updated_at, received_at);
}

class IncidentProjection {
 public:
  explicit IncidentProjection(SQLite::Database& db);
  void apply(const Applied& applied, const ReportView& report);
  // Nothing of the source at or before `cut` counts any more: incidents become what is left of their reports, and go with the
  // last. After flush().
  void drop(const Source& source, Version cut, AudienceRow& audience);
  // Writes the incidents that were touched.
  void flush();
  // The transaction did not come about.
  void forget() { rows_.forget(); }

 private:
  struct Row {
    std::int64_t id = 0;
    RegionCode region;  // home
    std::int64_t last_report = 0;
    IncidentFields fields;
    Hash hash{};  // as stored
    bool stored = false;
    AudienceRow* audience = nullptr;
  };
  void load(const RowKey& key, Row& row);
  void write(const RowKey& key, Row& row);
  struct Reports;
  void drop_of(std::int64_t incident, const Source& source, Version cut, Reports& reports);

  SQLite::Database& db_;
  SQLite::Statement find_, insert_, update_, report_;
  RowCache<Row> rows_;
};

}  // namespace lianxi::store
