#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

#include "broker/store/spot_boxes.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr LonLat kCentre{118.958, 28.973};

AskResources near(LonLat at, std::uint32_t limit = 0, std::optional<double> within_m = std::nullopt) {
  AskResources ask;
  ask.near = at;
  ask.limit = limit;
  ask.within_m = within_m;
  return ask;
}

TEST(Geodesy, AgreesWithKnownDistances) {
  EXPECT_NEAR(geodesic_m({0, 0}, {1, 0}), 111'319.4908, 0.001);       // a degree of the equator
  EXPECT_NEAR(geodesic_m({0, 0}, {0, 90}), 10'001'965.729, 0.001);    // the quarter meridian
  EXPECT_NEAR(geodesic_m({179.9, 10}, {-179.9, 10}), 21'929.2, 100);  // across the date line
}

TEST(SpotBoxes, HoldEveryPointWithinTheDistance) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> lon(-180, 180), sine(-1, 1), exponent(2, 7.3);
  const auto point = [&] { return LonLat{lon(random), std::asin(sine(random)) * 57.29577951308232}; };
  int inside = 0;
  for (int i = 0; i < 100'000; ++i) {
    const LonLat centre = point();
    LonLat other = point();
    if (i % 2 == 0) {  // near ones, where boxes are small
      other = {std::clamp(centre.lon + sine(random) * 0.5, -180.0, 180.0),
               std::clamp(centre.lat + sine(random) * 0.5, -90.0, 90.0)};
    }
    const double radius = std::pow(10, exponent(random));
    if (geodesic_m(centre, other) > radius) continue;
    ++inside;
    bool held = false;
    for (const Box& box : boxes_around(centre, radius)) {
      held = held || (other.lon >= box.west && other.lon <= box.east && other.lat >= box.south && other.lat <= box.north);
    }
    ASSERT_TRUE(held) << centre.lon << ' ' << centre.lat << " to " << other.lon << ' ' << other.lat << " within " << radius;
  }
  EXPECT_GT(inside, 10'000);
}

class AMap : public ::testing::Test {
 protected:
  TempFolder folder_;
  ViewBench bench_{folder_.path("view.db")};
};

TEST_F(AMap, AnAnswerIsOfTheOffsetThatItNames) {
  ReadView& read = bench_.read();
  const auto ids = [&](const AskResources& ask) { return read.resources(ask, admit_all)->rows.size(); };
  for (int round = 1; round <= 3; ++round) {
    bench_.publish({resource_event({.name = "r" + std::to_string(round), .location = kCentre})});
    const Offset before = read.seen();
    EXPECT_EQ(ids(near(kCentre)), static_cast<std::size_t>(round));
    EXPECT_EQ(read.seen(), bench_.view->offset());
    EXPECT_GT(read.seen(), before) << "published since";
    bench_.publish({report_event({.case_reference = "c" + std::to_string(round)})});
    EXPECT_LT(read.seen(), bench_.view->offset()) << "until something is asked";
    EXPECT_EQ(read.incidents({}, admit_all)->rows.size(), static_cast<std::size_t>(round));
    EXPECT_EQ(read.seen(), bench_.view->offset());
  }
}

TEST_F(AMap, NearestFirstAgreesWithMeasuringEverything) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> lon(116.5, 120.5), lat(26.5, 30.5);
  std::vector<Event> events;
  std::vector<std::pair<double, std::string>> truth;
  for (int i = 0; i < 600; ++i) {
    // Clusters, so that the search must widen and narrow.
    const LonLat at =
        i % 3 == 0 ? LonLat{118.9 + lon(random) / 5000, 28.9 + lat(random) / 5000} : LonLat{lon(random), lat(random)};
    const std::string name = "r" + std::to_string(i);
    const ResourceType type = i % 2 == 0 ? ResourceType::team : ResourceType::supply;
    events.push_back(
        resource_event({.name = name,
                        .type = type,
                        .location = at,
                        .capabilities = i % 7 == 0 ? std::vector<std::string>{"hazmat"} : std::vector<std::string>{}}));
    truth.emplace_back(geodesic_m(kCentre, at), name);
  }
  bench_.publish(events);
  bench_.publish({resource_event({.name = "nowhere"})});
  for (const double within : {0.0, 3'000.0, 40'000.0, 1e9}) {
    for (const std::uint32_t limit : {1U, 10U, 599U, 600U, 2'000U}) {
      for (const bool teams : {false, true}) {
        AskResources ask = near(kCentre, limit, within == 1e9 ? std::nullopt : std::optional(within));
        if (teams) ask.types = {ResourceType::team};
        std::vector<std::pair<double, std::string>> expected;
        for (const auto& row : truth) {
          if (row.first <= within && (!teams || std::stoi(row.second.substr(1)) % 2 == 0)) expected.push_back(row);
        }
        std::sort(expected.begin(), expected.end());
        const auto rows = bench_.read().resources(ask, admit_all);
        ASSERT_TRUE(rows) << rows.error().detail;
        EXPECT_EQ(rows->truncated, expected.size() > limit);
        expected.resize(std::min<std::size_t>(expected.size(), limit));
        ASSERT_EQ(rows->rows.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_EQ(rows->rows[i].name, expected[i].second);
          EXPECT_EQ(rows->rows[i].distance_m, expected[i].first);
        }
      }
    }
  }
  AskResources ask = near(kCentre);
  ask.capability = "hazmat";
  EXPECT_EQ(bench_.resource_names(ask).size(), 86U);
}

TEST_F(AMap, FiltersCountTogether) {
  const LonLat at{118.9, 28.9};
  bench_.publish({resource_event({.name = "a", .location = at, .capabilities = {"hazmat", "diving"}}),
                  resource_event({.name = "b", .location = at, .capabilities = {"hazmat"}, .state = ResourceState::deployed}),
                  resource_event({.name = "c", .type = ResourceType::expert, .location = at, .capabilities = {"hazmat"}}),
                  resource_event({.name = "d", .capabilities = {"hazmat"}, .place = "330881101"}),
                  resource_event({.name = "e", .capabilities = {"hazmats"}, .home = kHuangshan, .place = "341002"})});
  AskResources ask;
  ask.capability = "hazmat";
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("a", "b", "c", "d"));
  ask.available = true;
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("a", "c", "d"));
  ask.types = {ResourceType::team, ResourceType::site};
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("a", "d"));
  ask.place = PlaceCode::parse("330881").value();
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("d"));
  ask = {};
  ask.place = PlaceCode::parse("33").value();
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("a", "b", "c", "d"));
  ask.place = PlaceCode::parse("341000").value();
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("e"));
  ask.place = PlaceCode::parse("330803").value();
  ask.near = at;
  EXPECT_THAT(bench_.resource_names(ask), ElementsAre("a", "b", "c"));
}

TEST_F(AMap, AlertsAndIncidentsOfAWiderPlaceConcernEveryPlaceInIt) {
  const std::vector<std::string> places = {"330000", "330800", "330803", "330803101", "330802", "330700", "340000"};
  for (const std::string& place : places) {
    bench_.publish({alert_event({.identifier = place, .place = place}),
                    report_event({.case_reference = place, .title = place, .place = place})});
  }
  const auto asked = [&](const std::optional<std::string>& place) {
    AskAlerts alerts;
    AskIncidents incidents;
    if (place) alerts.place = incidents.place = PlaceCode::parse(*place).value();
    std::vector<std::string> found;
    std::vector<std::string> reported;
    const auto alert_rows = bench_.read().alerts(alerts, kNoon, admit_all);
    const auto incident_rows = bench_.read().incidents(incidents, admit_all);
    for (const AlertRow& row : alert_rows->rows) found.push_back(row.place.text());
    for (const IncidentRow& row : incident_rows->rows) reported.push_back(row.place.text());
    EXPECT_THAT(reported, ::testing::UnorderedElementsAreArray(found));
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(asked(std::nullopt).size(), places.size());
  EXPECT_THAT(asked("330803"), ElementsAre("330000", "330800", "330803", "330803101"));
  EXPECT_THAT(asked("330803101"), ElementsAre("330000", "330800", "330803", "330803101"));
  EXPECT_THAT(asked("330803102003"), ElementsAre("330000", "330800", "330803"));
  EXPECT_THAT(asked("330800"), ElementsAre("330000", "330800", "330802", "330803", "330803101"));
  EXPECT_THAT(asked("34"), ElementsAre("340000"));
}

TEST_F(AMap, TheLimitCountsAdmittedRows) {
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    events.push_back(resource_event({.name = "r" + std::to_string(10 + i),
                                     .location = LonLat{118 + i * 0.01, 28},
                                     .place = i % 2 == 0 ? "330803" : "330802"}));
  }
  bench_.publish(events);
  const auto admits = [](const Envelope& e) {
    return e.kind == Kind::resource && e.place.text() == "330802" && e.agency == "emergency";
  };
  for (const bool by_distance : {true, false}) {
    AskResources ask;
    if (by_distance) ask.near = LonLat{118, 28};
    ask.limit = 3;
    auto rows = bench_.read().resources(ask, admits);
    ASSERT_EQ(rows->rows.size(), 3U);
    EXPECT_TRUE(rows->truncated);
    EXPECT_EQ(rows->rows[0].name, "r11");
    EXPECT_EQ(rows->rows[2].name, "r15");
    ask.limit = 20;
    rows = bench_.read().resources(ask, admits);
    EXPECT_EQ(rows->rows.size(), 20U);
    EXPECT_FALSE(rows->truncated);
  }
}

TEST_F(AMap, AnOverlayShowsEachResourceOnce) {
  const LonLat rough{118.90, 28.90};
  const LonLat exact{118.95, 28.95};
  bench_.publish({resource_event({.name = "depot", .location = rough}),
                  resource_event({.name = "depot", .location = exact, .audience = "local"}),
                  resource_event({.name = "only local", .location = rough, .audience = "local"})});
  const auto outsider = [](const Envelope& e) { return !e.audience.is_local(); };
  for (const bool by_distance : {true, false}) {
    const AskResources ask = by_distance ? near(rough) : AskResources{};
    const auto own = bench_.read().resources(ask, admit_all);
    ASSERT_EQ(own->rows.size(), 2U);
    for (const ResourceRow& row : own->rows) EXPECT_EQ(row.location, row.name == "depot" ? exact : rough);
    const auto others = bench_.read().resources(ask, outsider);
    ASSERT_EQ(others->rows.size(), 1U);
    EXPECT_EQ(others->rows[0].location, rough);
  }
  bench_.publish({resource_event({.name = "depot", .change = ResourceChange::remove, .audience = "local"})});
  EXPECT_EQ(bench_.read().resources(near(rough), admit_all)->rows[0].name, "depot");
}

TEST_F(AMap, ReadersSeeWholeBatchesWhileTheViewMovesOn) {
  std::vector<Event> events;
  for (int i = 0; i < 50; ++i) events.push_back(resource_event({.name = "r" + std::to_string(i), .location = LonLat{118, 28}}));
  bench_.publish(events);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    const auto view = open_read_view(bench_.options);
    ASSERT_TRUE(view);
    while (!stop) {
      const auto rows = (*view)->resources(near({118, 28}, 100), admit_all);
      ASSERT_TRUE(rows) << rows.error().detail;
      ASSERT_EQ(rows->rows.size(), 50U);
      for (const ResourceRow& row : rows->rows) ASSERT_EQ(row.quantity_milli, rows->rows[0].quantity_milli);
    }
  });
  for (int turn = 0; turn < 40; ++turn) {
    std::vector<Bytes> bodies;
    for (int i = 0; i < 50; ++i) {
      bodies.push_back(encode_event(
          resource_event({.name = "r" + std::to_string(i), .change = ResourceChange::quantity, .quantity_milli = turn})));
    }
    if (turn == 0) continue;  // all stand at 1000
    const Offset at = bench_.view->offset();
    StoredSegment segment = bench_.regions.segment(feed_of(kQuzhou, Lane::bulk), bodies, at);
    bench_.apply({at, std::move(segment.bytes), segment.seal});
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace lianxi::store::test
