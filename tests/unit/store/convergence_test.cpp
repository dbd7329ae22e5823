// Views that hold the same events are equal, whatever the order in which the feeds came.
#include <gtest/gtest.h>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <random>

#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

// Events of three regions, four lanes' worth of conflict: few entities, every change, three audiences.
std::vector<std::pair<FeedId, Bytes>> some_history(std::mt19937& random) {
  const auto pick = [&](auto... values) {
    const std::vector<std::common_type_t<decltype(values)...>> all{values...};
    return all[random() % all.size()];
  };
  std::vector<std::pair<FeedId, Bytes>> history;
  for (int i = 0; i < 150; ++i) {
    const RegionCode home = pick(kQuzhou, kHuangshan, kNanping);
    const std::string to =
        pick(std::string("conference"), std::string("conference"), std::string("three-cities"), std::string("local"));
    const Status status = pick(Status::Actual, Status::Actual, Status::Exercise);
    RegionCode from = home;
    Event event;
    switch (random() % 3) {
      case 0: {
        const std::string name(1 + random() % 5, 'x');
        const MsgType type = pick(MsgType::Alert, MsgType::Update, MsgType::Cancel);
        std::vector<std::string> refers;
        if (type != MsgType::Alert) refers.push_back(std::string(1 + random() % 5, 'x'));
        event = alert_event({.identifier = name, .type = type, .refers = refers, .home = home, .status = status, .audience = to});
        break;
      }
      case 1:
        from = pick(kQuzhou, kHuangshan, kNanping);
        event =
            report_event({.case_reference = pick(std::string("c1"), std::string("c2")),
                          .agency = pick(std::string("police"), std::string("fire")),
                          .incident_class = pick(IncidentClass::unknown, IncidentClass::accident, IncidentClass::public_health),
                          .state = pick(IncidentState::reported, IncidentState::responding, IncidentState::closed),
                          .level = pick(Level::none, Level::red, Level::blue),
                          .title = pick(std::string(), std::string("一"), std::string("二")),
                          .place = pick(std::string("330803"), std::string("341002")),
                          .home = home,
                          .audience = to,
                          .status = status});
        break;
      default:
        event = resource_event({.name = pick(std::string("r1"), std::string("r2"), std::string("r3")),
                                .change = pick(ResourceChange::upsert, ResourceChange::state, ResourceChange::quantity,
                                               ResourceChange::place, ResourceChange::remove),
                                .location = random() % 3 == 0
                                                ? std::nullopt
                                                : std::optional(LonLat{118.0 + static_cast<double>(random() % 100) / 50, 28.5}),
                                .capabilities = pick(std::vector<std::string>{}, std::vector<std::string>{"hazmat", "diving"}),
                                .state = pick(ResourceState::available, ResourceState::deployed),
                                .quantity_milli = static_cast<std::int64_t>(random() % 9),
                                .home = home,
                                .audience = to,
                                .status = status});
    }
    history.emplace_back(feed_of(from, lane_of(event), to, 1 + static_cast<std::uint32_t>(i) / 80), encode_event(event));
  }
  return history;
}

// Every row of the shared tables, without this node's own row numbers.
std::vector<std::string> rows_of(const std::string& path) {
  std::vector<std::string> rows;
  SQLite::Database db(path);
  for (const char* sql :
       {"SELECT 'alert', hex(event_hash), a.name FROM alert t JOIN audience a ON a.id = t.audience",
        "SELECT 'incident', hex(row_hash), a.name FROM incident t JOIN audience a ON a.id = t.audience",
        "SELECT 'report', hex(p.event_bytes) || p.version, i.entity FROM report p JOIN incident i ON i.id = p.incident",
        "SELECT 'resource', hex(row_hash), a.name FROM resource t JOIN audience a ON a.id = t.audience",
        "SELECT 'spot', r.entity, p.west FROM resource_spot p JOIN resource r ON r.id = p.id",
        "SELECT 'capability', r.entity, c.capability FROM resource_capability c JOIN resource r ON r.id = c.resource",
        "SELECT 'reference', a.entity, n.target FROM alert_reference n JOIN alert a ON a.id = n.alert"}) {
    SQLite::Statement select(db, sql);
    while (select.executeStep()) {
      rows.push_back(select.getColumn(0).getString() + " " + select.getColumn(1).getString() + " " +
                     select.getColumn(2).getString());
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(Convergence, AnyInterleavingOfTheFeedsGivesEqualRowsAndDigests) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    std::mt19937 random(seed);
    // Stamped once, by their home nodes; each feed keeps its order.
    Regions regions;
    std::map<FeedId, std::vector<StoredSegment>> feeds;
    std::vector<FeedId> arrivals;
    for (const auto& [feed, body] : some_history(random)) {
      feeds[feed].push_back(regions.segment(feed, {body}, Offset(1)));
      arrivals.push_back(feed);
    }
    std::optional<std::vector<DigestRow>> digests;
    std::vector<std::string> rows;
    for (int order = 0; order < 5; ++order) {
      const TempFolder folder;
      ViewBench bench(folder.path("view.db"));
      std::map<FeedId, std::size_t> taken;
      for (const FeedId& feed : arrivals) {
        const Offset at = bench.view->offset();
        const Bytes& bytes = feeds[feed][taken[feed]++].bytes;
        bench.apply({at, as_stored(Segment::parse(bytes).value(), at), std::nullopt});
      }
      if (!digests) {
        digests = bench.digests();
        rows = rows_of(bench.options.path);
        EXPECT_EQ(digests->size(), 3U);
        EXPECT_GT(rows.size(), 60U);
      }
      ASSERT_EQ(bench.digests(), *digests) << "seed " << seed << ", order " << order;
      ASSERT_EQ(rows_of(bench.options.path), rows);
      std::shuffle(arrivals.begin(), arrivals.end(), random);
    }
  }
}

TEST(Convergence, DifferentRowsGiveDifferentDigests) {
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  std::vector<Hash> seen;
  for (int i = 0; i < 20; ++i) {
    bench.publish({resource_event(
        {.name = "t", .change = i == 0 ? ResourceChange::upsert : ResourceChange::quantity, .quantity_milli = i})});
    const Hash digest = bench.digests()[0].digest;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), digest), 0);
    seen.push_back(digest);
  }
}

}  // namespace
}  // namespace lianxi::store::test
