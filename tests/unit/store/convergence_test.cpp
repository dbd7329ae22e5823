// Views that hold the same events are equal, whatever the order in which the feeds came.
#include <gtest/gtest.h>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <random>

#include "broker/store/map_text.h"
#include "tests/support/mobilisation_events.h"
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
    switch (random() % 4) {
      case 3: {
        // A requester's words and owners', about a few resources, in a few threads.
        from = pick(kQuzhou, kHuangshan, kNanping);
        const std::string thread = pick(std::string("R1"), std::string("R2"));
        const auto message = pick(ResourceMessage::RequestResource, ResourceMessage::CommitResource,
                                  ResourceMessage::ResponseToRequestResource, ResourceMessage::ReportResourceDeploymentStatus,
                                  ResourceMessage::ReleaseResource, ResourceMessage::RequisitionResource);
        lianxi::test::MessageOf of{
            .message = message,
            .id = "M" + std::to_string(i),
            .thread = thread,
            .home = home,
            .items = {{.resource = resource_id(pick(std::string("r1"), std::string("r2")), pick(from, kQuzhou, kNanping)),
                       .quantity = 1 + static_cast<std::int64_t>(random() % 9)}},
            .preceding = thread,
            .status = status};
        of.items[0].deployment = pick(Deployment::departed, Deployment::arrived, Deployment::returned);
        if (message == ResourceMessage::ResponseToRequestResource)
          of.items[0].response = pick(Response::Accept, Response::Provisional, Response::Decline);
        if (random() % 3 == 0) of.items[0].until = 1'600'000'000'000 + static_cast<TimeMs>(random() % 200);
        if (message == ResourceMessage::RequestResource) {
          if (random() % 2 == 0) of.id = thread;
          of.preceding.clear();
        } else if (random() % 6 == 0) {
          of.recalled = "M" + std::to_string(random() % static_cast<unsigned>(i + 1));
          of.recall = pick(Recall::Update, Recall::Cancel);
        }
        event = lianxi::test::mobilisation(of);
        event.envelope.audience = *Audience::parse(to);
        break;
      }
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
                                               ResourceChange::place, ResourceChange::remove, ResourceChange::contact),
                                .location = random() % 3 == 0
                                                ? std::nullopt
                                                : std::optional(LonLat{118.0 + static_cast<double>(random() % 100) / 50, 28.5}),
                                .capabilities = pick(std::vector<std::string>{}, std::vector<std::string>{"hazmat", "diving"}),
                                .state = pick(ResourceState::available, ResourceState::deployed),
                                .quantity_milli = static_cast<std::int64_t>(random() % 9),
                                .home = home,
                                .audience = to,
                                .status = status,
                                .more = [n = random() % 4, keeps = random() % 32](Resource& resource) {
                                  resource.contact = n % 2 == 0 ? "李四" : "";
                                  resource.phone = std::to_string(n);
                                  resource.owner = n == 1 ? "危化中心" : "";
                                  resource.answerable = n == 2 ? "王五" : "";
                                  if (n == 3) resource.valid_until = kNoon;
                                  if (n == 0) resource.area = {{118, 28}, {119, 28}, {119, 29}, {118, 28}};
                                  if (n == 2) resource.on_call = {{1, 0, 60}};
                                  if (resource.change == ResourceChange::upsert && keeps < 16)
                                    keep(resource, {static_cast<std::uint8_t>(keeps)});
                                }});
    }
    history.emplace_back(feed_of(from, lane_of(event), to, 1 + static_cast<std::uint32_t>(i) / 80), encode_event(event));
  }
  return history;
}

// Every row of the shared tables, whole but for what is this node's own: row numbers and the order of arrival.
std::vector<std::string> rows_of(const std::string& path) {
  std::vector<std::string> rows;
  SQLite::Database db(path);
  const auto add = [&](const std::string& sql) {
    SQLite::Statement select(db, sql);
    while (select.executeStep()) {
      std::string row;
      for (int column = 0; column < select.getColumnCount(); ++column) row += select.getColumn(column).getString() + " ";
      rows.push_back(std::move(row));
    }
  };
  for (const std::string table : {"alert", "incident", "resource"}) {
    std::string columns;
    SQLite::Statement names(db, "SELECT name FROM pragma_table_info(?) WHERE name NOT IN ('id', 'audience', 'last_report')");
    names.bind(1, table);
    while (names.executeStep()) columns += ", quote(t." + names.getColumn(0).getString() + ")";
    add("SELECT '" + table + "', a.name" + columns + " FROM " + table + " t JOIN audience a ON a.id = t.audience");
  }
  add("SELECT 'report', hex(p.event_bytes), p.version, p.publisher, p.received_at, i.entity FROM report p"
      " JOIN incident i ON i.id = p.incident");
  if (add_tokenizer(db.getHandle()))
    add("SELECT 'text', r.entity FROM resource_text('\"危化\"') p JOIN resource r ON r.id = p.rowid");
  add("SELECT 'mobilisation', a.name, t.entity, t.status, t.region, t.sent, t.place, t.over, hex(t.row_hash) FROM mobilisation t"
      " JOIN audience a ON a.id = t.audience");
  add("SELECT 'message', a.name, t.entity, t.status, m.region, m.version, m.time, hex(m.event_hash) FROM mobilisation_message m"
      " JOIN mobilisation t ON t.id = m.mobilisation JOIN audience a ON a.id = t.audience");
  add("SELECT 'holding', a.name, t.entity, h.region, h.resource, h.item, h.status, h.state, h.held, h.quantity_milli,"
      " coalesce(h.until, 0), h.taken_at FROM holding h JOIN mobilisation t ON t.id = h.mobilisation"
      " JOIN audience a ON a.id = t.audience");
  add("SELECT 'held', entity, status, held_milli, state FROM holding_sum");
  add("SELECT 'reference', a.entity, n.target FROM alert_reference n JOIN alert a ON a.id = n.alert");
  add("SELECT 'retention', t.region, t.lane, a.name, t.cut, t.version, hex(t.event_hash) FROM retention t"
      " JOIN audience a ON a.id = t.audience");
  std::sort(rows.begin(), rows.end());
  return rows;
}

// The reports that each incident's row leads to, by entity: all of them, each once.
std::vector<std::string> chains_of(const std::string& path) {
  std::vector<std::string> chains;
  SQLite::Database db(path);
  SQLite::Statement select(db,
                           "WITH RECURSIVE chain (incident, report) AS (SELECT id, last_report FROM incident UNION ALL"
                           " SELECT c.incident, r.previous FROM chain c JOIN report r ON r.id = c.report WHERE r.previous <> 0)"
                           " SELECT i.entity || ' ' || hex(r.event_bytes) FROM chain c JOIN report r ON r.id = c.report"
                           " JOIN incident i ON i.id = c.incident WHERE r.incident = c.incident");
  while (select.executeStep()) chains.push_back(select.getColumn(0).getString());
  std::sort(chains.begin(), chains.end());
  return chains;
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

TEST(Convergence, HowEventsShareTransactionsChangesNothing) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    Regions regions;
    std::vector<Bytes> arrivals;
    for (const auto& [feed, body] : some_history(random)) {
      arrivals.push_back(regions.segment(feed, {body}, Offset(arrivals.size() + 1)).bytes);
    }
    const TempFolder folder;
    ViewBench alone(folder.path("alone.db"));  // a transaction an event
    ViewBench shared(folder.path("shared.db"));
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      const JournalSegment segment{Offset(i + 1), arrivals[i], std::nullopt};
      alone.apply(segment);
      ASSERT_TRUE(shared.view->take({segment}));
      if (random() % 8 == 0) {
        ASSERT_TRUE(shared.view->commit());
      }
      if (random() % 30 == 0) {
        // A gap ends the transaction: everything since the last commit is taken anew.
        ASSERT_FALSE(shared.view->take({JournalSegment{Offset(i + 9), arrivals[i], std::nullopt}}));
        EXPECT_EQ(shared.view->taken(), shared.view->offset());
        i = shared.view->offset().value - 2;
      }
      if (random() % 30 == 0) {
        ASSERT_TRUE(shared.view->commit());
        shared.reopen(identity_of());
      }
    }
    ASSERT_TRUE(shared.view->commit());
    ASSERT_EQ(shared.view->offset(), alone.view->offset());
    ASSERT_EQ(shared.digests(), alone.digests()) << "seed " << seed;
    ASSERT_EQ(rows_of(shared.options.path), rows_of(alone.options.path)) << "seed " << seed;
    ASSERT_EQ(chains_of(shared.options.path), chains_of(alone.options.path));
    SQLite::Database db(shared.options.path);
    ASSERT_EQ(chains_of(shared.options.path).size(), db.execAndGet("SELECT count(*) FROM report").getUInt());
  }
}

using History = std::map<FeedId, std::vector<StoredSegment>>;

// One feed of the history is cut in its middle by a retention behind its last event; gives the feed, and how many events go.
std::pair<FeedId, std::size_t> cut_some_feed(Regions& regions, History& feeds, std::mt19937& random) {
  std::vector<FeedId> long_enough;
  for (const auto& [feed, segments] : feeds)
    if (segments.size() >= 3) long_enough.push_back(feed);
  const FeedId feed = long_enough[random() % long_enough.size()];
  std::vector<StoredSegment>& segments = feeds[feed];
  const std::size_t gone = 1 + random() % (segments.size() - 1);
  const Segment last_gone = Segment::parse(segments[gone - 1].bytes).value();
  Retention retention;
  retention.epoch = feed.epoch;
  retention.lane = feed.lane;
  retention.through = segments[gone - 1].last;
  retention.ordinal = last_gone.records().back().stamp.ordinal;
  retention.before = kNoon;
  retention.position = segments.back().last.sequence;
  Event event;
  event.envelope = {Kind::retention, retention_entity(feed.region, feed.lane, feed.audience),
                    Status::Actual,  PlaceCode::of(feed.region),
                    "emergency",     Level::none,
                    feed.audience,   kNoon};
  event.body = retention;
  segments.push_back(regions.segment(feed, {encode_event(event)}, Offset(1)));
  return {feed, gone};
}

// Rows and digests of a view to which the feeds came in some order, each from its first event or, of one, from a later one.
std::pair<std::vector<DigestRow>, std::vector<std::string>> view_of(const History& feeds, std::mt19937& random,
                                                                    const std::map<FeedId, std::size_t>& begin) {
  std::vector<FeedId> arrivals;
  std::map<FeedId, std::size_t> taken = begin;
  for (const auto& [feed, segments] : feeds) arrivals.insert(arrivals.end(), segments.size() - taken[feed], feed);
  std::shuffle(arrivals.begin(), arrivals.end(), random);
  const TempFolder folder;
  ViewBench bench(folder.path("view.db"));
  for (const FeedId& feed : arrivals) {
    const Offset at = bench.view->taken();
    const Bytes bytes = as_stored(Segment::parse(feeds.at(feed)[taken[feed]++].bytes).value(), at);
    EXPECT_TRUE(bench.view->take({JournalSegment{at, bytes, std::nullopt}}));
    if (random() % 4 == 0) {
      EXPECT_TRUE(bench.view->commit());
    }
  }
  EXPECT_TRUE(bench.view->commit());
  EXPECT_EQ(chains_of(bench.options.path).size(),
            SQLite::Database(bench.options.path).execAndGet("SELECT count(*) FROM report").getUInt());
  return {bench.digests(), rows_of(bench.options.path)};
}

// The map in memory, told of each transaction, is the one that is made of the tables: also of what mobilisations hold, what
// retentions take out and what was rolled back.
TEST(Convergence, TheMapThatIsToldIsTheMapOfTheTables) {
  std::size_t rows = 0, held = 0, rolled_back = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Regions regions;
    History feeds;
    for (const auto& [feed, body] : some_history(random)) feeds[feed].push_back(regions.segment(feed, {body}, Offset(1)));
    for (int cuts = 0; cuts < 2; ++cuts) (void)cut_some_feed(regions, feeds, random);
    std::vector<FeedId> arrivals;
    for (const auto& [feed, segments] : feeds) arrivals.insert(arrivals.end(), segments.size(), feed);
    std::shuffle(arrivals.begin(), arrivals.end(), random);
    const TempFolder folder;
    ViewBench bench(folder.path("view.db"));
    bench.options.map = std::make_shared<MapFeed>();
    bench.reopen(identity_of());
    std::map<FeedId, std::size_t> taken;
    std::vector<JournalSegment> open;  // in the transaction
    for (const FeedId& feed : arrivals) {
      const Offset at = bench.view->taken();
      open.push_back({at, as_stored(Segment::parse(feeds.at(feed)[taken[feed]++].bytes).value(), at), std::nullopt});
      ASSERT_TRUE(bench.view->take({open.back()}));
      if (random() % 20 == 0) {
        ASSERT_FALSE(bench.view->take({JournalSegment{Offset(at.value + 90), open.back().bytes, std::nullopt}}));
        for (const JournalSegment& again : open) ASSERT_TRUE(bench.view->take({again}));
        ++rolled_back;
      }
      if (random() % 3 != 0) continue;
      ASSERT_TRUE(bench.view->commit());
      open.clear();
      if (random() % 3 != 0) continue;
      auto options = bench.options;
      options.map = nullptr;
      const auto fresh = open_read_view(options);
      ASSERT_TRUE(fresh);
      AskResources ask;
      ask.any_time = true;
      const ReadView::Admits outsider = [](const Envelope& e) { return !e.audience.is_local(); };
      for (const ReadView::Admits& admits : {ReadView::Admits(admit_all), outsider}) {
        const auto told = bench.read().resources(ask, {kNoon}, admits), made = (*fresh)->resources(ask, {kNoon}, admits);
        ASSERT_TRUE(told && made);
        ASSERT_TRUE(told->rows == made->rows) << "seed " << seed;
        rows += told->rows.size();
        held += static_cast<std::size_t>(
            std::count_if(told->rows.begin(), told->rows.end(), [](const ResourceRow& row) { return row.held_milli != 0; }));
      }
    }
  }
  EXPECT_GT(rows, 1'000U);
  EXPECT_GT(held, 100U);
  EXPECT_GT(rolled_back, 20U);
}

TEST(Convergence, BehindARetentionItMattersNotWhetherTheEventsBeforeItEverCame) {
  for (unsigned seed = 1; seed <= 24; ++seed) {
    std::mt19937 random(seed);
    Regions regions;
    History feeds;
    for (const auto& [feed, body] : some_history(random)) feeds[feed].push_back(regions.segment(feed, {body}, Offset(1)));
    const auto [feed, gone] = cut_some_feed(regions, feeds, random);
    const auto whole = view_of(feeds, random, {});
    for (int order = 0; order < 3; ++order) {
      const auto again = view_of(feeds, random, {});
      const auto joined = view_of(feeds, random, {{feed, gone}});
      ASSERT_EQ(again.second, whole.second) << "seed " << seed << ", " << to_text(feed);
      ASSERT_EQ(again.first, whole.first) << "seed " << seed << ", " << to_text(feed);
      ASSERT_EQ(joined.second, whole.second) << "seed " << seed << ", from behind " << gone << " of " << to_text(feed);
      ASSERT_EQ(joined.first, whole.first) << "seed " << seed << ", " << to_text(feed);
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
