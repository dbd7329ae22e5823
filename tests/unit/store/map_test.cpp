#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "broker/store/map_search.h"
#include "broker/store/map_text.h"
#include "broker/store/map_tree.h"
#include "broker/store/projections/resource.h"
#include "tests/unit/store/map_model.h"

namespace lianxi::store::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> ids_of(const StoreResult<ResourceRows>& rows) {
  std::vector<std::string> ids;
  if (!rows) return {"failed: " + rows.error().detail};
  for (const ResourceRow& row : rows->rows) ids.push_back(row.id);
  return ids;
}

std::string words_of(const AskResources& ask) {
  std::string words = ask.text + "|" + ask.capability + "|" + (ask.place ? ask.place->text() : "");
  if (ask.near) words += " near " + std::to_string(ask.near->lon) + "," + std::to_string(ask.near->lat);
  if (ask.within_m) words += " within " + std::to_string(*ask.within_m);
  for (const LonLat& p : ask.polygon) words += " (" + std::to_string(p.lon) + " " + std::to_string(p.lat) + ")";
  if (ask.box) words += " box " + std::to_string(ask.box->west) + " " + std::to_string(ask.box->east);
  for (const ResourceType type : ask.types) words += " " + std::string(to_word(type));
  for (const ResourceState state : ask.states) words += " " + std::string(to_word(state));
  for (const std::string& language : ask.languages) words += " " + language;
  return words + " at least " + std::to_string(ask.at_least_milli) + (ask.available ? " available" : "") +
         (ask.valid_at ? " later" : "") + (ask.any_time ? " ever" : "") + " limit " + std::to_string(ask.limit);
}

TEST(MapTree, TheChordBoundsTheWayOnBothSides) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> lon(-180, 180), lat(-90, 90), small(-1, 1);
  for (int i = 0; i < 20'000; ++i) {
    const LonLat a{lon(random), lat(random)};
    const double reach = std::pow(10, small(random) * 4 - 2);
    LonLat b{lon(random), lat(random)};
    if (i % 2 == 0)
      b = {std::clamp(a.lon + reach * small(random), -180.0, 180.0), std::clamp(a.lat + reach * small(random), -90.0, 90.0)};
    const Xyz p = xyz_of(a), q = xyz_of(b);
    const double chord = std::sqrt(std::pow(p[0] - q[0], 2) + std::pow(p[1] - q[1], 2) + std::pow(p[2] - q[2], 2));
    const double way = geodesic_m(a, b);
    ASSERT_LE(chord, way + 1e-3);
    ASSERT_GE(longest_way_m(chord) + 1e-3, way);
  }
}

TEST(OnCall, IsWeeklyInBeijingTime) {
  const std::vector<OnCall> working{{0x1F, 8 * 60, 18 * 60}};
  const auto at = [](const char* text) { return parse_iso8601(text).value(); };
  EXPECT_TRUE(on_call_at(working, at("2020-11-09T08:00:00+08:00"))) << "a Monday";
  EXPECT_FALSE(on_call_at(working, at("2020-11-09T18:00:00+08:00")));
  EXPECT_FALSE(on_call_at(working, at("2020-11-09T07:59:59+08:00")));
  EXPECT_TRUE(on_call_at(working, at("2020-11-13T01:00:00+00:00")));
  EXPECT_FALSE(on_call_at(working, at("2020-11-14T12:00:00+08:00"))) << "a Saturday";
  EXPECT_TRUE(on_call_at({}, 0)) << "no times: at any time";
  EXPECT_TRUE(on_call_at(working, at("1969-12-31T09:00:00+08:00"))) << "a Wednesday before 1970";
}

TEST(Holdings, TakeFromWhatIsFreeAndTurnTheStateWhenNothingIsLeft) {
  const Holdings none, some{320'000, ResourceState::committed}, all{500'000, ResourceState::deployed};
  EXPECT_EQ(free_milli(ResourceState::available, 500'000, some), 180'000);
  EXPECT_EQ(effective_state(ResourceState::available, 500'000, some), ResourceState::available);
  EXPECT_EQ(free_milli(ResourceState::available, 500'000, all), 0);
  EXPECT_EQ(effective_state(ResourceState::available, 500'000, all), ResourceState::deployed);
  EXPECT_EQ(effective_state(ResourceState::out_of_service, 500'000, all), ResourceState::out_of_service);
  EXPECT_EQ(free_milli(ResourceState::out_of_service, 500'000, none), 0) << "the map never says free when it is not";
  EXPECT_EQ(whole_milli(ResourceType::team, 0), 1'000);
  EXPECT_EQ(whole_milli(ResourceType::supply, 0), 0);
  EXPECT_EQ(effective_state(ResourceState::available, 0, none), ResourceState::available);
}

TEST(MapCard, GivesBackWhatItWasMadeOf) {
  using Whole = std::numeric_limits<std::int64_t>;
  using Small = std::numeric_limits<std::int32_t>;
  const std::string longest(kMaxCardBytes / 2 - 8, 'x'), zeros(3, '\0');
  for (const std::int64_t number : {Whole::min(), Whole::min() + 1, std::int64_t{-65}, std::int64_t{-64}, std::int64_t{-1},
                                    std::int64_t{0}, std::int64_t{63}, std::int64_t{64}, Whole::max()})
    for (const std::optional<std::int32_t> few : {std::optional<std::int32_t>(), std::optional(0), std::optional(-1),
                                                  std::optional(Small::min()), std::optional(Small::max())})
      for (const std::string& text : {std::string(), zeros, std::string(127, 'y'), std::string(128, 'z'), longest}) {
        CardFields fields;
        fields.region = RegionCode(std::numeric_limits<std::uint32_t>::max());
        fields.quantity_milli = number;
        fields.held_milli = -(number / 2);
        fields.updated_at = number;
        fields.capacity = few;
        fields.name = text;
        fields.contact = "李";
        fields.answerable_phone = text;
        const MapCard card(fields, true, false);
        ASSERT_TRUE(card.kept());
        const CardFields back = card.fields();
        ASSERT_EQ(back.region, fields.region);
        ASSERT_EQ(back.quantity_milli, fields.quantity_milli);
        ASSERT_EQ(back.held_milli, fields.held_milli);
        ASSERT_EQ(back.updated_at, fields.updated_at);
        ASSERT_EQ(back.capacity, few);
        ASSERT_EQ(back.occupancy, std::nullopt);
        ASSERT_EQ(back.name, text);
        ASSERT_EQ(back.contact, "李");
        ASSERT_EQ(back.answerable_phone, text);
        ASSERT_TRUE(back.owner.empty());
        const MapCard contact(fields, false, true);
        ASSERT_EQ(contact.fields().contact, "李");
        ASSERT_TRUE(contact.fields().name.empty());
      }
  CardFields large;
  large.attributes = longest;
  large.address = longest;
  large.name = std::string(100, 'x');
  EXPECT_FALSE(MapCard(large, true, true).kept());
  EXPECT_FALSE(MapCard(large, false, false).kept());
  EXPECT_TRUE(MapCard(large, false, true).kept()) << "its contact alone is small";
}

class TheMap : public ::testing::Test {
 protected:
  TheMap() {
    bench_.options.map = std::make_shared<MapFeed>();
    bench_.reopen(identity_of());
  }
  void publish(const Event& event) {
    bench_.publish({event});
    model_.take(event);
  }
  StoreResult<ResourceRows> ask(const AskResources& question, const ReadView::Admits& admits = admit_all) {
    return bench_.read().resources(question, context_, admits);
  }
  // What the index holds of a row is what its events say.
  void expect_as_told(const ResourceRow& row) {
    const MapModel::Row& told = model_.rows().at({row.id, row.audience.text()});
    ASSERT_EQ(row.name, told.resource.name);
    ASSERT_EQ(row.type, told.resource.type);
    ASSERT_EQ(row.state, told.resource.state);
    ASSERT_EQ(row.place.text(), told.envelope.place.text());
    ASSERT_EQ(row.location.has_value(), told.resource.location.has_value());
    if (row.location) {
      ASSERT_EQ(row.location->lon, told.resource.location->lon);
      ASSERT_EQ(row.location->lat, told.resource.location->lat);
    }
    ASSERT_EQ(row.valid_from, told.resource.valid_from);
    ASSERT_EQ(row.valid_until, told.resource.valid_until);
    ASSERT_EQ(row.languages, told.resource.languages);
    ASSERT_EQ(row.on_call, told.resource.on_call);
    ASSERT_EQ(row.area, told.resource.area);
    ASSERT_EQ(row.region, kQuzhou);
    ASSERT_EQ(row.capabilities, told.resource.capabilities);
    ASSERT_EQ(row.quantity_milli, told.resource.quantity_milli);
    ASSERT_EQ(row.unit, told.resource.unit);
    ASSERT_EQ(row.capacity, told.resource.capacity);
    ASSERT_EQ(row.occupancy, told.resource.occupancy);
    ASSERT_EQ(row.owner, told.resource.owner);
    ASSERT_EQ(row.address, told.resource.address);
    ASSERT_EQ(row.contact, told.resource.contact);
    ASSERT_EQ(row.phone, told.resource.phone);
    ASSERT_EQ(row.supply_code, told.resource.supply_code);
    ASSERT_EQ(row.attributes, told.resource.attributes);
    ASSERT_EQ(row.answerable, told.resource.answerable);
    ASSERT_EQ(row.answerable_phone, told.resource.answerable_phone);
  }
  TempFolder folder_;
  ViewBench bench_{folder_.path("view.db")};
  MapModel model_;
  MapNames names_ = some_names();
  MapContext context_{kNoon, &names_};
};

TEST_F(TheMap, AnswersAsABruteForceScanDoes) {
  std::mt19937 random(20'201'109);
  const auto outsider = [](const Envelope& e) { return !e.audience.is_local() && e.place.text() != "330881"; };
  int rows = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<Event> events;
    for (int i = 0; i < 120; ++i) publish(random_resource(random, 600));
    // One reader is told what changes, the other makes its index from the tables.
    auto options = bench_.options;
    options.map = nullptr;
    const auto fresh = open_read_view(options);
    ASSERT_TRUE(fresh);
    for (int i = 0; i < 60; ++i) {
      const AskResources question = random_question(random);
      const ReadView::Admits admits = random() % 2 == 0 ? ReadView::Admits(admit_all) : outsider;
      std::vector<std::string> expected = model_.answer(question, kNoon, names_, admits);
      const auto answered = ask(question, admits);
      ASSERT_TRUE(answered) << answered.error().detail;
      EXPECT_EQ(answered->truncated, expected.size() > question.limit);
      expected.resize(std::min<std::size_t>(expected.size(), question.limit));
      ASSERT_EQ(ids_of(answered), expected) << "round " << round << ", question " << i << ": " << words_of(question);
      const auto anew = (*fresh)->resources(question, context_, admits);
      ASSERT_EQ(ids_of(anew), expected);
      ASSERT_TRUE(anew->rows == answered->rows);
      for (const ResourceRow& row : answered->rows) ASSERT_NO_FATAL_FAILURE(expect_as_told(row));
      for (const ResourceRow& row : answered->rows)
        if (question.near) {
          ASSERT_EQ(row.distance_m, geodesic_m(*question.near, *row.location));
        }
      rows += static_cast<int>(expected.size());
    }
  }
  EXPECT_GT(rows, 2'000);
}

TEST_F(TheMap, PagesHaveNoGapsAndNoRepeatsWhileOtherRowsChange) {
  std::mt19937 random(3);
  for (int i = 0; i < 400; ++i) publish(random_resource(random, 300));
  for (int round = 0; round < 12; ++round) {
    AskResources question;
    if (round % 2 == 0) question.near = LonLat{118.5, 28.5};
    if (round % 3 == 0) question.text = "队";
    question.limit = 1'000;
    const std::vector<std::string> before = ids_of(ask(question));
    std::set<std::string> changed;
    question.limit = 7;
    std::vector<std::string> paged;
    do {
      const auto page = ask(question);
      ASSERT_TRUE(page);
      for (const ResourceRow& row : page->rows) paged.push_back(row.id);
      EXPECT_EQ(page->truncated, !page->next.empty());
      question.after = page->next;
      for (int i = 0; i < 4; ++i) {
        const Event event = random_resource(random, 300);
        changed.insert(event.envelope.entity);
        publish(event);
      }
    } while (!question.after.empty());
    for (const std::string& id : before)
      if (!changed.contains(id)) {
        EXPECT_EQ(std::count(paged.begin(), paged.end(), id), 1) << id;
      }
    for (const std::string& id : paged)
      if (!changed.contains(id)) {
        EXPECT_EQ(std::count(before.begin(), before.end(), id), 1) << id;
      }
  }
}

TEST_F(TheMap, MoreWordsThanBitsAreStillToldApart) {
  constexpr int kWords = 3 * static_cast<int>(MapIndex::kWordBits) / 2;
  for (int i = 0; i < kWords; ++i)
    publish(resource_event({.name = "r" + std::to_string(i), .capabilities = {"word-" + std::to_string(i)}}));
  for (int i = 0; i < kWords; ++i) {
    AskResources question;
    question.capability = "word-" + std::to_string(i);
    EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("r" + std::to_string(i))));
  }
}

TEST_F(TheMap, NamesOfCapabilitiesAndFormerCodesAreUnderstood) {
  publish(resource_event({.name = "a", .capabilities = {"hazmat"}, .place = "361121"}));
  publish(resource_event({.name = "b", .capabilities = {"boat"}, .place = "330803"}));
  AskResources question;
  for (const char* name : {"hazmat", "危化品处置", "化工", "hazardous MATERIALS"}) {
    question.capability = name;
    EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("a"))) << name;
  }
  question = {};
  question.place = PlaceCode::parse("361104").value();
  EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("a"))) << "filed under the former code";
  question.place = PlaceCode::parse("330821").value();
  EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("b"))) << "asked by the former code";
  question = {};
  question.text = "水域";
  EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("b"))) << "by a capability's name";
}

TEST_F(TheMap, AnAlertCoversItsShapesAndThePlacesOfItsGeocodes) {
  publish(resource_event({.name = "in polygon", .location = LonLat{118.97, 28.93}, .place = "341002"}));
  publish(resource_event({.name = "in circle", .location = LonLat{118.92, 28.98}, .place = "341002"}));
  publish(resource_event({.name = "by code", .place = "330803101"}));
  publish(resource_event({.name = "elsewhere", .location = LonLat{117, 30}, .place = "341002"}));
  const auto reach = [](Resource& r) { r.area = {{118.0, 28.95}, {119.5, 28.95}, {119.5, 28.96}, {118.0, 28.95}}; };
  publish(resource_event({.name = "river", .type = ResourceType::site, .place = "341002", .more = reach}));
  bench_.publish({alert_event({.identifier = "a"})});
  AskResources question;
  question.alert = alert_id("a");
  EXPECT_THAT(ids_of(ask(question)),
              ElementsAre(resource_id("by code"), resource_id("in circle"), resource_id("in polygon"), resource_id("river")));
  question.near = LonLat{118.97, 28.93};
  EXPECT_THAT(ids_of(ask(question)), ElementsAre(resource_id("in polygon"), resource_id("in circle")));
  question.alert = alert_id("b");
  EXPECT_EQ(ask(question).error().code, StoreError::not_found);
  question.alert = alert_id("a");
  EXPECT_EQ(ask(question, [](const Envelope& e) { return e.kind != Kind::alert; }).error().code, StoreError::not_found);
}

TEST_F(TheMap, AGeocodeThatNamesNoPlaceHereCountsAsTheOneItLiesIn) {
  publish(resource_event({.name = "county", .place = "330803"}));
  publish(resource_event({.name = "town", .place = "330803101"}));
  publish(resource_event({.name = "other", .place = "330881"}));
  const auto covered = [&](const std::string& identifier, const std::string& code) {
    Event event = alert_event({.identifier = identifier});
    auto& alert = std::get<Alert>(event.body);
    for (AlertInfo& info : alert.infos)
      for (AlertArea& area : info.areas) {
        area.polygons.clear();
        area.circles.clear();
        area.geocodes = {{"12 digits", code}};
      }
    bench_.publish({event});
    AskResources question;
    question.alert = alert_id(identifier);
    return ids_of(ask(question));
  };
  EXPECT_THAT(covered("a", "330803101000"), ElementsAre(resource_id("town")));
  EXPECT_THAT(covered("aa", "330803102001"), ElementsAre(resource_id("county"), resource_id("town"))) << "no such town here";
  EXPECT_THAT(covered("aaa", "330821"), ElementsAre(resource_id("county"), resource_id("town"))) << "a former code";
  EXPECT_THAT(covered("aaaa", "340100"), IsEmpty());
}

TEST_F(TheMap, ANarrowerContactIsShownToWhoeverMaySeeIt) {
  const auto office = [](Resource& r) { r.contact = "值班室", r.phone = "0570-1"; };
  const auto person = [](Resource& r) { r.contact = "李四", r.phone = "139-1"; };
  publish(resource_event({.name = "t", .more = office}));
  bench_.publish({resource_event({.name = "t", .change = ResourceChange::contact, .audience = "local", .more = person})});
  const auto outsider = [](const Envelope& e) { return !e.audience.is_local(); };
  EXPECT_EQ(ask({})->rows.at(0).phone, "139-1");
  EXPECT_EQ(ask({})->rows.at(0).audience, Audience::conference());
  EXPECT_EQ(ask({}, outsider)->rows.at(0).phone, "0570-1");
  bench_.publish({resource_event({.name = "alone", .change = ResourceChange::contact, .audience = "local", .more = person})});
  EXPECT_THAT(ids_of(ask({})), ElementsAre(resource_id("t"))) << "a contact alone is no resource";
  bench_.publish({resource_event({.name = "t", .change = ResourceChange::remove, .audience = "local"})});
  EXPECT_EQ(ask({})->rows.at(0).phone, "0570-1");
}

TEST_F(TheMap, WhatIsHeldCountsInEveryRowOfAnEntityAndNotInTheDigest) {
  for (const char* audience : {"conference", "local"})
    publish(resource_event({.name = "stock", .type = ResourceType::supply, .quantity_milli = 500'000, .audience = audience}));
  publish(resource_event({.name = "team", .quantity_milli = 0}));
  const auto digests = bench_.digests();
  const auto hold = [&](const std::string& name, std::int64_t milli, std::optional<ResourceState> state) {
    bench_.view.reset();
    const Database db = open_database(bench_.options.path, OpenMode::write, "");
    ASSERT_TRUE(add_tokenizer(db->getHandle()));
    {
      SQLite::Statement sum(*db, "INSERT OR REPLACE INTO holding_sum (entity, status, held_milli, state) VALUES (?, 0, ?, ?)");
      const auto number = state ? std::optional(static_cast<int>(*state)) : std::nullopt;
      const std::string entity = resource_id(name);
      store::Run(sum).put(entity).put(milli).put_optional(number).exec();
      ResourceProjection projection(*db, nullptr);
      projection.held(entity, Status::Actual, milli, state);
      projection.flush();
    }
    bench_.options.map = nullptr;
    bench_.reopen(identity_of());
  };
  const auto outsider = [](const Envelope& e) { return !e.audience.is_local(); };
  hold("stock", 320'000, ResourceState::committed);
  AskResources question;
  question.types = {ResourceType::supply};
  for (const ReadView::Admits& admits : {ReadView::Admits(admit_all), ReadView::Admits(outsider)}) {
    const ResourceRow row = ask(question, admits)->rows.at(0);
    EXPECT_EQ(row.free_milli, 180'000);
    EXPECT_EQ(row.held_milli, 320'000);
    EXPECT_EQ(row.state, ResourceState::available);
  }
  question.at_least_milli = 180'000;
  EXPECT_EQ(ask(question)->rows.size(), 1U);
  question.at_least_milli = 180'001;
  EXPECT_THAT(ids_of(ask(question)), IsEmpty());
  hold("stock", 500'000, ResourceState::deployed);
  hold("team", 1'000, ResourceState::committed);
  EXPECT_EQ(ask({})->rows.at(0).state, ResourceState::deployed);
  EXPECT_EQ(ask({})->rows.at(1).state, ResourceState::committed);
  question = {};
  question.available = true;
  EXPECT_THAT(ids_of(ask(question)), IsEmpty());
  EXPECT_EQ(bench_.digests(), digests);
  hold("later", 300'000, ResourceState::committed);
  publish(resource_event({.name = "later", .type = ResourceType::supply, .quantity_milli = 400'000}));
  EXPECT_EQ(ask(question)->rows.at(0).free_milli, 100'000) << "held before its record came";
  hold("stock", 0, std::nullopt);
  publish(resource_event(
      {.name = "stock", .change = ResourceChange::quantity, .type = ResourceType::supply, .quantity_milli = 600'000}));
  EXPECT_EQ(ask(question, outsider)->rows.at(1).free_milli, 600'000);
}

TEST_F(TheMap, TotalsCountEachResourceOnceByCountyAndType) {
  const auto shelter = [](Resource& r) { r.capacity = 100, r.occupancy = 7; };
  publish(resource_event({.name = "a", .type = ResourceType::shelter, .place = "330803101", .more = shelter}));
  publish(resource_event(
      {.name = "b", .type = ResourceType::shelter, .state = ResourceState::out_of_service, .place = "330803", .more = shelter}));
  publish(resource_event({.name = "b", .type = ResourceType::shelter, .place = "330803", .audience = "local", .more = shelter}));
  publish(resource_event({.name = "c", .capabilities = {"hazmat"}, .place = "341002"}));
  publish(resource_event({.name = "drill", .place = "341002", .status = Status::Exercise}));
  const auto totals = bench_.read().totals({}, context_, admit_all);
  ASSERT_TRUE(totals);
  ASSERT_EQ(totals->rows.size(), 2U);
  const TotalRow& shelters = totals->rows[0];
  EXPECT_EQ(shelters.place.text(), "330803");
  EXPECT_EQ(shelters.count, 2U);
  EXPECT_EQ(shelters.by_state.at(0), 2U) << "the local row stands before the other";
  EXPECT_EQ(shelters.capacity, 200);
  EXPECT_EQ(shelters.occupancy, 14);
  const auto outside = bench_.read().totals({}, context_, [](const Envelope& e) { return !e.audience.is_local(); });
  EXPECT_EQ(outside->rows[0].by_state.at(static_cast<std::size_t>(ResourceState::out_of_service)), 1U);
  AskTotals some{PlaceCode::parse("34").value(), {ResourceType::team}, "化工"};
  EXPECT_EQ(bench_.read().totals(some, context_, admit_all)->rows.at(0).count, 1U);
}

}  // namespace
}  // namespace lianxi::store::test
