// By hand: what an index of places costs, the same million resources in each, CPU time: SQLite's R*Tree with the table beside it,
// Boost's R-tree in memory, and ours. Questions: the ten nearest with a capability and available; updates: a change of state, and
// a move.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "broker/store/map_search.h"
#include "broker/store/read_view.h"
#include "broker/store/spot_boxes.h"
#include "tests/bench/map_data.h"

// Of no other program here: without it its row is left out.
#if __has_include(<boost/geometry/index/rtree.hpp>)
#define LIANXI_HAS_BOOST_GEOMETRY
#include <boost/geometry.hpp>
#include <boost/geometry/index/rtree.hpp>
#endif

namespace lianxi::bench {
namespace {

using store::MapEntry;
constexpr std::uint64_t kAsks = 2'000, kChanges = 100'000, kSlowChanges = 10'000;

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
double resident_mb() {
  std::ifstream in("/proc/self/statm");
  double pages = 0, resident = 0;
  in >> pages >> resident;
  return resident * 4096 / 1024 / 1024;
}
template <class F>
double us_each(std::uint64_t count, F f) {
  const double begin = cpu_s();
  for (std::uint64_t i = 0; i < count; ++i) f(i);
  return (cpu_s() - begin) * 1e6 / static_cast<double>(count);
}

MapEntry entry_of(std::uint64_t number) {
  const MapResource r = map_resource(number);
  MapEntry entry;
  entry.id = static_cast<std::int64_t>(number) + 1;
  entry.entity = r.id;
  entry.audience = 1;
  entry.visible = entry.contact = true;
  entry.type = r.type;
  entry.state = r.state;
  entry.place = r.place;
  entry.agency = r.agency;
  entry.capabilities = r.capabilities;
  entry.location = r.location;
  entry.free_milli = r.quantity_milli;
  store::CardFields card;
  card.region = RegionCode{330800};
  card.quantity_milli = r.quantity_milli;
  card.updated_at = 1'604'894'400'000;
  card.name = r.name;
  card.capabilities = r.capabilities[0];
  card.unit = "件";
  card.owner = r.owner;
  card.address = r.address;
  entry.card = store::MapCard(card, true, true);
  return entry;
}

void ours(std::uint64_t count) {
  const double before = resident_mb();
  store::MapIndex index;
  const double load = us_each(count, [&](std::uint64_t i) { index.apply(entry_of(i)); }) -
                      us_each(std::min<std::uint64_t>(count, 50'000), [&](std::uint64_t i) { (void)entry_of(i); });
  const auto ask = [&](std::uint64_t i) {
    const MapAsk of = map_ask(MapKind::nearest, i);
    AskResources asked;
    asked.near = of.at;
    asked.available = true;
    store::MapQuestion question{asked};
    question.limit = 11;
    question.words = index.words_of(std::vector<std::string>{of.capability});
    question.admits = [](const auto&) { return true; };
    question.narrower = [](auto, auto) { return false; };
    return store::MapSearch(index, question).run().size();
  };
  const double nearest = us_each(kAsks, ask);
  const auto changed = [&](double east) {
    std::vector<MapEntry> entries;
    for (std::uint64_t i = 0; i < kChanges; ++i) {
      const MapChange change = map_change(i, count);
      entries.push_back(entry_of(change.resource));
      entries.back().state = change.state;
      entries.back().location->lon += east;
    }
    return us_each(kChanges, [&](std::uint64_t i) { index.apply(std::move(entries[i])); });
  };
  const double state = changed(0), move = changed(0.01);
  std::printf("ours      insert %.2f us, nearest %.1f us, state %.2f us, move %.2f us, %.0f MB (counted %.0f)\n", load, nearest,
              state, move, resident_mb() - before, static_cast<double>(index.bytes()) / 1024 / 1024);
}

#ifdef LIANXI_HAS_BOOST_GEOMETRY
namespace bg = boost::geometry;

void boost_tree(std::uint64_t count) {
  const double before = resident_mb();
  using Point = bg::model::point<double, 2, bg::cs::cartesian>;
  using Value = std::pair<Point, std::uint32_t>;
  constexpr double kShrink = 0.8788;
  bg::index::rtree<Value, bg::index::quadratic<16>> tree;
  struct Row {
    std::uint64_t words = 0;
    ResourceState state{};
    LonLat location;
  };
  std::vector<Row> rows(count);
  std::vector<std::string> names;
  const auto bit = [&](const std::string& word) {
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) names.push_back(word);
    return std::uint64_t{1} << (found == names.end() ? names.size() - 1 : static_cast<std::size_t>(found - names.begin()));
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    const MapResource r = map_resource(i);
    for (const std::string& word : r.capabilities) rows[i].words |= bit(word);
    rows[i].state = r.state;
    rows[i].location = r.location;
  }
  const auto value = [&](std::uint64_t i) {
    return Value{Point(rows[i].location.lon * kShrink, rows[i].location.lat), static_cast<std::uint32_t>(i)};
  };
  const double load = us_each(count, [&](std::uint64_t i) { tree.insert(value(i)); });
  const double nearest = us_each(kAsks, [&](std::uint64_t i) {
    const MapAsk of = map_ask(MapKind::nearest, i);
    const std::uint64_t word = bit(of.capability);
    std::vector<std::pair<double, std::uint32_t>> found;
    const auto keeps = [&](const Value& v) {
      return (rows[v.second].words & word) != 0 && rows[v.second].state == ResourceState::available;
    };
    const Point from(of.at.lon * kShrink, of.at.lat);
    for (auto it = tree.qbegin(bg::index::nearest(from, 24) && bg::index::satisfies(keeps)); it != tree.qend(); ++it)
      found.emplace_back(store::geodesic_m(of.at, rows[it->second].location), it->second);
    std::sort(found.begin(), found.end());
  });
  const double move = us_each(kChanges, [&](std::uint64_t i) {
    const std::uint64_t at = map_change(i, count).resource;
    tree.remove(value(at));
    rows[at].location.lon += 0.01;
    tree.insert(value(at));
  });
  std::printf("boost     insert %.2f us, nearest %.1f us, move %.2f us, %.0f MB\n", load, nearest, move, resident_mb() - before);
}
#else
void boost_tree(std::uint64_t /*count*/) {}
#endif

void sqlite(std::uint64_t count) {
  const std::string path = "map_index_bench.db";
  std::remove(path.c_str());
  SQLite::Database db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA page_size=16384; PRAGMA cache_size=-262144");
  db.exec("CREATE TABLE r (id INTEGER PRIMARY KEY, lon REAL, lat REAL, state INTEGER)");
  db.exec("CREATE TABLE c (capability TEXT, resource INTEGER, PRIMARY KEY (capability, resource)) WITHOUT ROWID");
  db.exec("CREATE VIRTUAL TABLE spot USING rtree (id, west, east, south, north)");
  SQLite::Statement row(db, "INSERT INTO r VALUES (?, ?, ?, ?)"), word(db, "INSERT INTO c VALUES (?, ?)");
  SQLite::Statement spot(db, "INSERT OR REPLACE INTO spot VALUES (?, ?, ?, ?, ?)");
  const auto lay = [&](std::uint64_t i, LonLat at) {
    spot.bind(1, static_cast<std::int64_t>(i));
    spot.bind(2, at.lon);
    spot.bind(3, at.lon);
    spot.bind(4, at.lat);
    spot.bind(5, at.lat);
    spot.exec();
    spot.reset();
  };
  db.exec("BEGIN");
  const double load = us_each(count, [&](std::uint64_t i) {
    const MapResource r = map_resource(i);
    row.bind(1, static_cast<std::int64_t>(i));
    row.bind(2, r.location.lon);
    row.bind(3, r.location.lat);
    row.bind(4, static_cast<int>(r.state));
    row.exec();
    row.reset();
    for (const std::string& w : r.capabilities) {
      word.bind(1, w);
      word.bind(2, static_cast<std::int64_t>(i));
      word.exec();
      word.reset();
    }
    lay(i, r.location);
  });
  db.exec("COMMIT");
  SQLite::Statement find(db,
                         "SELECT r.id, r.lon, r.lat FROM spot p CROSS JOIN r ON r.id = p.id WHERE p.east >= ? AND p.west <= ?"
                         " AND p.north >= ? AND p.south <= ? AND r.state = 0 AND EXISTS"
                         " (SELECT 1 FROM c WHERE c.capability = ? AND c.resource = r.id)");
  const double nearest = us_each(kAsks, [&](std::uint64_t i) {
    const MapAsk of = map_ask(MapKind::nearest, i);
    for (double radius = 2'000;; radius *= 2) {
      std::vector<std::pair<double, std::int64_t>> found;
      for (const store::Box& box : store::boxes_around(of.at, radius)) {
        find.bind(1, box.west);
        find.bind(2, box.east);
        find.bind(3, box.south);
        find.bind(4, box.north);
        find.bind(5, of.capability);
        while (find.executeStep())
          found.emplace_back(store::geodesic_m(of.at, {find.getColumn(1).getDouble(), find.getColumn(2).getDouble()}),
                             find.getColumn(0).getInt64());
        find.reset();
      }
      const auto within = std::count_if(found.begin(), found.end(), [&](const auto& one) { return one.first <= radius; });
      if (within > 10 || radius > 1e6) return std::sort(found.begin(), found.end());
    }
  });
  db.exec("BEGIN");
  const double move = us_each(kSlowChanges, [&](std::uint64_t i) {
    const std::uint64_t at = map_change(i, count).resource;
    LonLat to = map_resource(at).location;
    to.lon += 0.01;
    lay(at, to);
  });
  db.exec("COMMIT");
  std::printf("sqlite    insert %.2f us with its rows and words, nearest %.1f us, move %.2f us\n", load, nearest, move);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace lianxi::bench

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::stoull(argv[1]) : 1'000'000;
  lianxi::bench::ours(count);
  lianxi::bench::boost_tree(count);
  lianxi::bench::sqlite(count);
}
