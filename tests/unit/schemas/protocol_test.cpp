#include "schemas/protocol.h"
#include "schemas/map_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/sample_messages.h"

namespace lianxi {
namespace {

Result<Message> through(const Message& message) {
  const Frames frames = encode(message);
  return decode(frames.header, frames.payload);
}

// Encodes without `fits`, as a hostile or broken client would.
Refusal refusal_of(const Message& message) {
  const auto read = through(message);
  if (read) return {};
  return read.error();
}

template <class T>
T sample(std::string_view name) {
  for (const auto& [n, message] : test::sample_messages()) {
    if (n == name) return std::get<T>(message);
  }
  std::abort();
}

TEST(Protocol, EveryFieldOfEveryMessageIsReadBack) {
  std::set<MessageType> types;
  for (const auto& [name, message] : test::sample_messages()) {
    ASSERT_TRUE(fits(message)) << name;
    const auto read = through(message);
    ASSERT_TRUE(read) << name << ": " << read.error().field << ": " << read.error().reason;
    EXPECT_TRUE(*read == message) << name;
    types.insert(type_of(message));
  }
  EXPECT_EQ(types.size(), std::variant_size_v<Message>) << "a sample of every type";
}

TEST(Protocol, EmptyMessagesAreReadBack) {
  const SessionId id(1);
  for (const Message& message : std::vector<Message>{
           Hello{id, {}, {}, ""}, Answers{id, {}, {}}, Refused{}, Follow{.follow = id}, Followed{.follow = id},
           Deliver{.follow = id}, Credit{.follow = id}, Unfollow{id, ""}, Heartbeat{}, Query{}, Answer{},
           Query{0, {}, 0, AskStatus{}}, Answer{0, {}, StatusReport{}}, Answer{0, {}, AlertRows{}}, Answer{0, {}, IncidentRows{}},
           Query{0, {}, 0, AskMobilisations{}}, Answer{0, {}, MobilisationRows{}}}) {
    const auto read = through(message);
    ASSERT_TRUE(read) << message.index() << read.error().reason;
    EXPECT_TRUE(*read == message) << message.index();
  }
}

TEST(Protocol, AMobilisationsCursorIsReadBackAndAnythingElseIsRefused) {
  const MobilisationRow row = test::sample_mobilisation();
  const auto cursor = parse_mobilisation_cursor(cursor_of(row));
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->sent, row.sent);
  EXPECT_EQ(cursor->status, row.status);
  EXPECT_EQ(cursor->id, row.id);
  for (const char* text : {"", "x", "12", "12 ", "12 0", "12 9 330800:mobilisation:x", "99999999999999999999 0 x"}) {
    EXPECT_FALSE(parse_mobilisation_cursor(text)) << text;
    Query query;
    query.ask = AskMobilisations{.after = std::string("x") + text};
    const auto read = through(query);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().field, "after");
  }
}

TEST(Protocol, PayloadsNeedNoAlignment) {
  for (const auto& [name, message] : test::sample_messages()) {
    const Frames frames = encode(message);
    Bytes shifted(3);
    shifted.insert(shifted.end(), frames.payload.begin(), frames.payload.end());
    const auto read = decode(frames.header, BytesView(shifted).subspan(3));
    ASSERT_TRUE(read) << name;
    EXPECT_TRUE(*read == message) << name;
  }
}

// The checksum stops damage; whoever means harm makes a right one. Neither may crash, and what is read is well formed.
TEST(Protocol, EveryFlippedByteAndEveryCutBehindARightChecksumIsSafe) {
  for (const auto& [name, message] : test::sample_messages()) {
    const Frames good = encode(message);
    const FrameHeader header = decode_header(good.header, good.payload).value();
    for (std::size_t i = 0; i < good.payload.size(); ++i) {
      for (const std::uint8_t flip : {std::uint8_t{0x01}, std::uint8_t{0x80}, std::uint8_t{0xFF}}) {
        Bytes payload = good.payload;
        payload[i] = static_cast<std::uint8_t>(payload[i] ^ flip);
        const Frames bad = encode_frames(header, std::move(payload));
        if (const auto read = decode(bad.header, bad.payload)) (void)encode(*read);
      }
      const Frames cut =
          encode_frames(header, Bytes(good.payload.begin(), good.payload.begin() + static_cast<std::ptrdiff_t>(i)));
      if (const auto read = decode(cut.header, cut.payload)) (void)encode(*read);
    }
  }
}

TEST(Protocol, ThePayloadOfOneTypeUnderAnotherIsSafe) {
  for (const auto& [name, message] : test::sample_messages()) {
    const Frames frames = encode(message);
    for (const auto& [other_name, other] : test::sample_messages()) {
      const Frames mixed = encode_frames({type_of(other), 0, Lane::flash, SessionId(1), 1}, frames.payload);
      (void)decode(mixed.header, mixed.payload);
    }
  }
}

TEST(Protocol, EachSideSpeaksItsOwnMessages) {
  for (const auto& [name, message] : test::sample_messages()) {
    const Frames frames = encode(message);
    const bool by_client = decode(frames.header, frames.payload, Speaker::client).has_value();
    const bool by_node = decode(frames.header, frames.payload, Speaker::node).has_value();
    EXPECT_EQ(by_client && by_node, type_of(message) == MessageType::heartbeat) << name;
    EXPECT_TRUE(by_client || by_node) << name;
  }
  const Frames deliver = encode(Deliver{SessionId(1), Offset(1), true, {}});
  EXPECT_EQ(decode(deliver.header, deliver.payload, Speaker::client).error().code, RefusalCode::unknown_type);
}

TEST(Protocol, SessionZeroIsRefused) {
  EXPECT_EQ(refusal_of(Hello{}).field, "header.session");
  EXPECT_EQ(refusal_of(Follow{}).field, "header.session");
  EXPECT_EQ(refusal_of(Credit{}).field, "header.session");
  EXPECT_EQ(refusal_of(Deliver{}).field, "header.session");
}

TEST(Protocol, ALaneOutsideTheThreeIsRefused) {
  Hello hello = sample<Hello>("hello");
  hello.lanes.front().lane = static_cast<Lane>(255);
  EXPECT_EQ(refusal_of(hello).field, "lanes");
  hello = sample<Hello>("hello");
  hello.lanes.back().lane = hello.lanes.front().lane;
  EXPECT_EQ(refusal_of(hello).field, "lanes") << "a lane named twice";
}

TEST(Protocol, APublishHasItsBounds) {
  Publish publish = sample<Publish>("publish");
  publish.first_sequence = Sequence(0);
  EXPECT_EQ(refusal_of(publish).field, "header.sequence");
  publish = sample<Publish>("publish");
  publish.events.clear();
  EXPECT_EQ(refusal_of(publish).code, RefusalCode::missing_field);
  EXPECT_FALSE(fits(publish));
  publish.events.assign(kMaxPublishEvents + 1, Bytes{1});
  EXPECT_EQ(refusal_of(publish).code, RefusalCode::oversize);
  EXPECT_EQ(fits(publish).error().code, RefusalCode::oversize);
  publish.events = {Bytes{1}, Bytes(kMaxBodyBytes + 1, 7)};
  EXPECT_EQ(refusal_of(publish).field, "events[1]");
  EXPECT_EQ(fits(publish).error().field, "events[1]");
  publish.events = {Bytes{}};
  EXPECT_EQ(refusal_of(publish).code, RefusalCode::malformed);
}

TEST(Protocol, APublishThatFitsIsReadAtItsLargest) {
  Publish publish = sample<Publish>("publish");
  publish.events.assign(4, Bytes(kMaxBodyBytes - 60, 7));
  EXPECT_TRUE(fits(publish));
  EXPECT_TRUE(through(publish));
  publish.events.assign(4, Bytes(kMaxBodyBytes, 7));
  EXPECT_EQ(fits(publish).error().code, RefusalCode::oversize);
  for (std::size_t size = 1; size < 20; ++size) {
    publish.events.assign(kMaxPublishEvents, Bytes(size, 7));
    const std::size_t counted = kPublishBytesAround + publish.events.size() * (size + kPublishBytesPerEvent);
    EXPECT_LE(encode(publish).payload.size(), counted) << size;
  }
}

TEST(Protocol, AFollowHasItsBounds) {
  Follow follow = sample<Follow>("follow");
  follow.lanes = 0;
  EXPECT_EQ(refusal_of(follow).field, "lanes");
  follow = sample<Follow>("follow");
  follow.lanes = 8;
  EXPECT_EQ(refusal_of(follow).field, "lanes");
  follow = sample<Follow>("follow");
  follow.mode = static_cast<FollowMode>(2);
  EXPECT_EQ(refusal_of(follow).field, "mode");
  follow = sample<Follow>("follow");
  follow.from = static_cast<FollowFrom>(5);
  EXPECT_EQ(refusal_of(follow).field, "from");
  follow = sample<Follow>("follow");
  follow.vector.push_back(follow.vector.front());
  EXPECT_EQ(refusal_of(follow).field, "vector");
  follow = sample<Follow>("follow");
  follow.filter.agencies.assign(kMaxFilterItems + 1, "fire");
  EXPECT_EQ(refusal_of(follow).field, "filter.agencies");
  EXPECT_FALSE(fits(follow));
  follow = sample<Follow>("follow");
  follow.filter.levels = {static_cast<Level>(9)};
  EXPECT_EQ(refusal_of(follow).field, "filter.levels");
  follow = sample<Follow>("follow");
  follow.filter.places = {PlaceCode()};
  EXPECT_EQ(refusal_of(follow).field, "filter.places") << "an empty place must not read as no filter";
}

TEST(Protocol, FeedVectorsAreReadInOrder) {
  Heartbeat heartbeat{1, test::sample_vector()};
  std::ranges::reverse(heartbeat.vector);
  EXPECT_EQ(std::get<Heartbeat>(through(heartbeat).value()).vector, test::sample_vector());
}

TEST(Protocol, AFeedVectorIsReadOnlyWithItsHashes) {
  Heartbeat heartbeat{1, test::sample_vector()};
  heartbeat.vector.back().head.sequence = Sequence(0);  // its hash is then left out
  EXPECT_NE(std::get<Heartbeat>(through(heartbeat).value()), heartbeat);
  const Frames frames = encode(Heartbeat{1, test::sample_vector()});
  Bytes payload = frames.payload;
  std::size_t changed = 0;
  for (std::size_t i = 0; i + 8 <= payload.size(); i += 8) {
    if (!std::all_of(payload.begin() + static_cast<std::ptrdiff_t>(i), payload.begin() + static_cast<std::ptrdiff_t>(i) + 8,
                     [](std::uint8_t b) { return b == 0xFF; })) {
      continue;
    }
    std::fill_n(payload.begin() + static_cast<std::ptrdiff_t>(i), 8, std::uint8_t{0});  // sequence 0 beside its hash
    ++changed;
  }
  ASSERT_EQ(changed, 1U);
  const Frames bad = encode_frames({MessageType::heartbeat, 0, Lane::flash, SessionId(0), 0}, payload);
  EXPECT_EQ(decode(bad.header, bad.payload).error().field, "vector");
}

TEST(Protocol, ALargeVectorFitsAndALargerOneIsRefused) {
  Heartbeat heartbeat;
  for (std::uint32_t i = 0; i < 2'000; ++i) {
    heartbeat.vector.push_back(
        {{RegionCode(100'000 + i), Epoch(1), Lane::flash, Audience::conference()}, {Sequence(1), Hash{1}}});
  }
  EXPECT_TRUE(fits(heartbeat));
  EXPECT_TRUE(through(heartbeat));
  heartbeat.vector.resize(kMaxVectorFeeds + 1, heartbeat.vector.front());
  EXPECT_FALSE(fits(heartbeat));
}

TEST(Protocol, QuestionsHaveTheirRules) {
  Query query = sample<Query>("query_resources");
  auto& ask = std::get<AskResources>(query.ask);
  ask.near.reset();
  EXPECT_EQ(refusal_of(query).field, "near");
  ask = std::get<AskResources>(sample<Query>("query_resources").ask);
  ask.within_m = -1;
  EXPECT_EQ(refusal_of(query).field, "within_m");
  ask = std::get<AskResources>(sample<Query>("query_resources").ask);
  ask.near = LonLat{181, 0};
  EXPECT_EQ(refusal_of(query).field, "near");
  ask = std::get<AskResources>(sample<Query>("query_resources").ask);
  ask.types = {static_cast<ResourceType>(6)};
  EXPECT_EQ(refusal_of(query).field, "types");
  EXPECT_EQ(refusal_of(Query{1, {}, 0, AskAlerts{false, std::nullopt, kMaxQueryLimit + 1}}).field, "limit");
}

TEST(Protocol, WhetherOnlyWhatIsValidIsAskedForComesThrough) {
  Query query = sample<Query>("query_resources");
  std::get<AskResources>(query.ask).any_time = true;
  EXPECT_TRUE(through(query) == Message(query));
}

TEST(Protocol, QuestionsToTheMapHaveTheirRules) {
  const auto field_of = [](auto change) {
    Query query = sample<Query>("query_resources_with_all");
    change(std::get<AskResources>(query.ask));
    return refusal_of(query).field;
  };
  EXPECT_EQ(field_of([](AskResources& ask) { ask.polygon.pop_back(); }), "polygon");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.polygon.back() = {1, 1}; }), "polygon");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.polygon[1] = {181, 1}; }), "polygon");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.polygon.resize(kMaxAreaPoints + 1, ask.polygon.front()); }), "polygon");
  EXPECT_EQ(field_of([](AskResources& ask) { std::swap(ask.box->west, ask.box->east); }), "box");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.box->north = 91; }), "box");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.box->south = std::nan(""); }), "box");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.alert = "330800:incident:QZ-1"; }), "alert");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.text.assign(kMaxQueryTextBytes + 1, 'x'); }), "text");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.states.push_back(static_cast<ResourceState>(99)); }), "states");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.states.resize(kMaxQueryItems + 1); }), "states");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.at_least_milli = -1; }), "at_least");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.reachable_at = kMaxTimeMs + 1; }), "reachable_at");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.valid_at = kMinTimeMs - 1; }), "valid_at");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.after = "page 2"; }), "after");
  EXPECT_EQ(field_of([](AskResources& ask) { ask.after = "i:330800:resource:x"; }), "after") << "of the other order";
  EXPECT_EQ(field_of([](AskResources& ask) { ask.after = "d7ff8000000000000:x"; }), "after") << "not a distance";
}

TEST(Protocol, CursorsOfTheMapComeBackAsTheyWere) {
  for (const MapCursor& cursor :
       {MapCursor{std::nullopt, "330800:resource:a:b"}, MapCursor{0.0, "x"}, MapCursor{1'234.567890123, "330800:resource:队"}})
    EXPECT_EQ(parse_map_cursor(to_text(cursor)).value(), cursor);
  for (const char* text :
       {"", ":", "i:", "i", "d:x", "d123:x", "dffffffffffffffff:x", "dbff0000000000000:x", "dzzzzzzzzzzzzzzzz:x"})
    EXPECT_FALSE(parse_map_cursor(text)) << text;
}

TEST(Protocol, AnAnswerCutShortNamesWhereToGoOn) {
  ResourceRow row;
  row.address.assign(2'000, 'x');
  ResourceRows rows{{}, false, "i:z"};
  for (int i = 0; i < 9'000; ++i) {
    row.id = "330800:resource:" + std::to_string(i);
    rows.rows.push_back(row);
  }
  const auto read = through(Answer{1, {}, rows});
  ASSERT_TRUE(read);
  const auto& kept = std::get<ResourceRows>(std::get<Answer>(*read).rows);
  EXPECT_TRUE(kept.truncated);
  EXPECT_EQ(kept.next, "i:" + kept.rows.back().id);
}

TEST(Protocol, ReceiptsNameEveryHash) {
  Answers answers = sample<Answers>("answers");
  answers.receipts.front().count = 3;
  EXPECT_EQ(refusal_of(answers).field, "receipts");
}

TEST(Protocol, RefusalCodesOfANewerNodeAreKept) {
  const Refused refused{SessionId(1), 2, Lane::flash, {static_cast<RefusalCode>(500), "x", "y", 0}};
  EXPECT_EQ(std::get<Refused>(through(refused).value()), refused);
}

TEST(Protocol, AnAnswerAboveItsBoundKeepsItsFirstRowsAndSaysSo) {
  ResourceRow row;
  row.id = "330800:resource:x";
  row.address.assign(1'000, 'x');
  ResourceRows rows{std::vector<ResourceRow>(9'000, row), false};
  rows.rows.front().name = "nearest";
  const auto read = through(Answer{1, {}, rows});
  ASSERT_TRUE(read) << read.error().reason;
  const auto& kept = std::get<ResourceRows>(std::get<Answer>(*read).rows);
  EXPECT_TRUE(kept.truncated);
  EXPECT_EQ(kept.rows.size(), 4'500U);
  EXPECT_EQ(kept.rows.front().name, "nearest");
  row.address.clear();
  const Answer many{1, {}, ResourceRows{std::vector<ResourceRow>(kMaxQueryLimit, row), false}};
  EXPECT_TRUE(fits(many));
  EXPECT_TRUE(through(many)) << "as many rows as may be asked for pass the verifier's limits";
}

Envelope envelope() {
  return test::full_report().envelope;  // incident, 330803001, police, orange, conference
}

TEST(Admits, AnEmptyFilterAdmitsAll) {
  EXPECT_TRUE(admits({}, envelope()));
  EXPECT_TRUE(admits({}, Envelope{}));
}

TEST(Admits, EveryListMustHoldTheEventsValue) {
  const auto place = [](const char* code) { return test::must(PlaceCode::parse(code)); };
  EXPECT_TRUE(admits({.kinds = {Kind::alert, Kind::incident}}, envelope()));
  EXPECT_FALSE(admits({.kinds = {Kind::alert}}, envelope()));
  EXPECT_TRUE(admits({.places = {place("34"), place("3308")}}, envelope()));
  EXPECT_FALSE(admits({.places = {place("330804")}}, envelope()));
  EXPECT_TRUE(admits({.places = {place("330803001005")}}, envelope())) << "what is placed above strikes it too";
  EXPECT_TRUE(admits({.agencies = {"police"}}, envelope()));
  EXPECT_FALSE(admits({.agencies = {"fire", "polic"}}, envelope()));
  EXPECT_TRUE(admits({.levels = {Level::orange}}, envelope()));
  EXPECT_FALSE(admits({.levels = {Level::red}}, envelope()));
  EXPECT_TRUE(admits({.audiences = {Audience::conference()}}, envelope()));
  EXPECT_FALSE(admits({.audiences = {Audience::local()}}, envelope()));
  EXPECT_FALSE(admits({.kinds = {Kind::incident}, .agencies = {"fire"}}, envelope()));
}

}  // namespace
}  // namespace lianxi
