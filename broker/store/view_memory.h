// What the rules' memory is made of at a start, read from the view's tables. Throws Broken or SQLite::Exception.
#pragma once

#include "broker/store/sqlite.h"
#include "broker/store/view.h"

namespace lianxi::store {

void visit_stock(SQLite::Database& db, RegionCode region, const View::StockVisitor& visit);
void visit_cuts(SQLite::Database& db, RegionCode region, const View::CutVisitor& visit);
struct ThreadVisit {
  SQLite::Database& db;
  const View::MobilisationVisitor& visit;
  const View::FinishedVisitor& over;
};
void visit_mobilisations(const ThreadVisit& ask);

}  // namespace lianxi::store
