// Which events of the journal an entity's rows were made of.
#include <algorithm>

#include "broker/store/read_tables.h"

namespace lianxi::store {

namespace {

const std::string kRows =
    "SELECT id FROM alert WHERE entity = ?1 UNION SELECT id FROM resource WHERE entity = ?1 UNION"
    " SELECT m.id FROM mobilisation_message m JOIN mobilisation t ON t.id = m.mobilisation WHERE t.entity = ?1";
const std::string kLastReports = "SELECT last_report FROM incident WHERE entity = ?";  // of each audience and status
const std::string kPrevious = "SELECT previous FROM report WHERE id = ?";

}  // namespace

std::vector<Offset> read_events_of(ReadTables& tables, const std::string& entity, std::size_t most) {
  std::vector<Offset> found;
  Run rows(tables.statement(kRows));
  rows.put(entity);
  while (rows.next()) found.push_back(Offset(rows.number_u64(0)));
  Run incidents(tables.statement(kLastReports));
  incidents.put(entity);
  while (incidents.next()) {
    std::int64_t id = incidents.number(0);
    for (std::size_t taken = 0; id != 0 && taken < most; ++taken) {
      found.push_back(Offset(static_cast<std::uint64_t>(id)));
      Run report(tables.statement(kPrevious));
      if (!report.put(id).next()) fail(StoreError::corrupt, "a report of " + entity + " is missing");
      id = report.number(0);
    }
  }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > most) found.resize(most);
  return found;
}

}  // namespace lianxi::store
