// One full message of every type, every field set: for roundtrips, damage and golden files.
#pragma once

#include <string_view>
#include <utility>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"
#include "schemas/protocol.h"
#include "schemas/vocabulary.h"
#include "tests/support/sample_events.h"

namespace lianxi::test {

inline FeedVector sample_vector() {
  return {{{RegionCode(330800), Epoch(1), Lane::flash, Audience::conference()}, {Sequence(17), Hash{1, 2, 3}}},
          {{RegionCode(330800), Epoch(1), Lane::bulk, Audience::conference()}, {Sequence(0), Hash{}}},
          {{RegionCode(341000), Epoch(2), Lane::normal, must(Audience::parse("zhe-wan"))}, {Sequence(UINT64_MAX), Hash{9}}}};
}

// Three sealed events of one feed.
inline Bytes sample_segment() {
  const FeedId feed{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};
  SegmentWriter writer(feed, FeedHead{Sequence(6), Hash{1, 2, 3}}, Offset(1'000));
  std::uint64_t sequence = 6;
  for (const Event& event : {full_report(), small_event(1), small_event(2)}) {
    ++sequence;
    const Stamp stamp{Sequence(sequence),
                      Ordinal(sequence * 2),
                      Hlc((static_cast<std::uint64_t>(kNoon) << 16U) + sequence),
                      must(AgentId::parse("330800.police.dispatch")),
                      SessionId(77),
                      Sequence(sequence + 5)};
    writer.append(stamp, derive_salt(Hash{9}, stamp.ordinal), encode_event(event));
  }
  const Seal seal = sign_seal(seal_keys_from_seed(Hash{1, 2, 3}).secret_key, feed, writer.head());
  return std::move(writer).finish(seal);
}

// A request of Quzhou that Shangrao has partly answered.
inline MobilisationRow sample_mobilisation() {
  const Event event = full_mobilisation();
  MobilisationRow row;
  row.id = event.envelope.entity;
  row.audience = Audience::conference();
  row.status = Status::Exercise;
  row.region = kQuzhou;
  row.place = event.envelope.place;
  row.agency = "emergency";
  row.level = Level::orange;
  row.incident = "330800:incident:QZ-1";
  row.description = "请求危化品救援队 2 支、防毒面具 500 具";
  row.sent = kNoon;
  row.answer_by = kNoon + 1'800'000;
  row.state = MobilisationState::departed;
  row.open = true;
  row.updated_at = kNoon + 600'000;
  row.needs = {{"1", ResourceType::team, "hazmat", "危化品救援队", 2'000, "支", 1, 2, 3, 1'000, 5},
               {"2", std::nullopt, "", "防毒面具", 500'000, "具", 0, 0, 320'000, 0, 0}};
  row.members = {{RegionCode(350700), Answering::declined, kNoon + 5, "队伍在外"},
                 {RegionCode(361100), Answering::answered, kNoon + 4, ""},
                 {RegionCode(341000), Answering::answer_unknown, kNoon + 1'800'000, ""},
                 {RegionCode(330800), Answering::waiting, std::nullopt, ""}};
  row.holdings = {{RegionCode(361100), "361100:resource:team-3", "上饶市危化品救援一队", "1", MobilisationState::departed, true,
                   1'000, "支", kNoon + 7'200'000, kNoon + 86'400'000, kNoon + 600'000, ""},
                  {RegionCode(350700), "", "", "1", MobilisationState::declined, false, 0, "", std::nullopt, std::nullopt,
                   kNoon + 5, "队伍在外"}};
  row.messages = {{RegionCode(361100), "361100.emergency.desk", kNoon + 4, Ordinal(17), std::get<Mobilisation>(event.body)}};
  return row;
}

inline std::vector<std::pair<std::string, Message>> sample_messages() {
  const SessionId session(0x1122334455667788);
  const AgentId agent = must(AgentId::parse("330800.police.dispatch"));
  const PlaceCode place = must(PlaceCode::parse("330803"));
  const Refusal refusal{RefusalCode::not_allowed, "place", "地点不在权限内", 0};
  const std::vector<LaneState> lanes{{Lane::flash, Sequence(3), Sequence(2)}, {Lane::bulk, Sequence(9), Sequence(9)}};
  std::vector<std::pair<std::string, Message>> all;
  all.emplace_back("hello", Hello{session, lanes, {SessionId(5), SessionId(6)}, "lianxi-agent 0.1.0", true});
  all.emplace_back("welcome", Welcome{session, RegionCode(330800), Epoch(3), Incarnation(99), agent, true, lanes, Offset(1'234),
                                      kNoon, 262'144, 1'024, 2'000});
  all.emplace_back("publish", Publish{session,
                                      Lane::normal,
                                      Sequence(41),
                                      Sequence(40),
                                      2,
                                      5'000,
                                      {encode_event(full_report()), encode_event(small_event(3))}});
  all.emplace_back("answers", Answers{session,
                                      {{Lane::normal,
                                        Audience::conference(),
                                        Sequence(41),
                                        2,
                                        Epoch(1),
                                        Sequence(7),
                                        Ordinal(8),
                                        Offset(9),
                                        {BodyHash{1}, BodyHash{2}}}},
                                      {{Lane::normal, Sequence(43), refusal, BodyHash{3}},
                                       {Lane::bulk, Sequence(1), {RefusalCode::busy, "", "稍后再试", 1'000}, BodyHash{4}}}});
  all.emplace_back("replicated",
                   Replicated{session, {{Lane::normal, Sequence(41), 2, 2, 2}, {Lane::flash, Sequence(3), 1, 3, 0}}});
  all.emplace_back("refused", Refused{session, 41, Lane::bulk, refusal});
  Follow follow;
  follow.follow = session;
  follow.mode = FollowMode::feeds;
  follow.from = FollowFrom::vector;
  follow.node = RegionCode(330800);
  follow.incarnation = Incarnation(99);
  follow.offset = Offset(5);
  follow.vector = sample_vector();
  follow.regions = {RegionCode(330800), RegionCode(341000)};
  follow.lanes = mask_of(Lane::flash) | mask_of(Lane::normal);
  follow.filter = {{Kind::alert, Kind::incident, static_cast<Kind>(900)},
                   {place, must(PlaceCode::parse("34"))},
                   {"fire", "police"},
                   {Level::red, Level::orange},
                   {Audience::conference()},
                   FilterArea{{{118.5, 28.5}, {119.5, 28.5}, {119.5, 29.5}, {118.5, 28.5}}, Circle{{118.958, 28.973}, 120'000}}};
  follow.credit_bytes = 1'048'576;
  follow.credit_messages = 64;
  follow.cursor_name = "dispatch-wall";
  all.emplace_back("follow", follow);
  Follow link = follow;
  link.filter = {};
  link.cursor_name.clear();
  link.zstd = true;
  all.emplace_back("follow_of_a_link", link);
  all.emplace_back("followed", Followed{session, RegionCode(330800), Incarnation(99), Offset(5), Offset(77)});
  all.emplace_back("deliver", Deliver{session, Offset(1'003), true, sample_segment()});
  all.emplace_back("credit", Credit{session, 4'096, 3, Offset(78)});
  all.emplace_back("unfollow", Unfollow{session, "done"});
  all.emplace_back("heartbeat", Heartbeat{kNoon, sample_vector()});
  all.emplace_back("heartbeat_with_echo", Heartbeat{kNoon, sample_vector(), {}, kNoon - 40, 7});
  all.emplace_back(
      "query_resources",
      Query{
          7, Offset(12), 1'500,
          AskResources{LonLat{118.958, 28.973}, 120'000.0, {ResourceType::team, ResourceType::site}, "hazmat", place, true, 50}});
  all.emplace_back("query_alerts", Query{8, Offset(0), 0, AskAlerts{true, place, 10}});
  all.emplace_back("query_incidents", Query{9, Offset(1), 1, AskIncidents{std::nullopt, 0}});
  all.emplace_back("query_status", Query{10, Offset(1), 1, AskStatus{false}});
  ResourceRow resource{"330800:resource:team-1",
                       Audience::conference(),
                       Status::Actual,
                       ResourceType::team,
                       "衢州市危化专业队",
                       RegionCode(330800),
                       place,
                       LonLat{118.958, 28.973},
                       1'234.5,
                       {"hazmat", "foam"},
                       ResourceState::deployed,
                       12'500,
                       "人",
                       40,
                       0,
                       "消防",
                       "念化路",
                       "李四",
                       "0570-1",
                       kNoon};
  ResourceRow bare;
  bare.id = "330800:resource:x";
  bare.audience = Audience::local();
  all.emplace_back("answer_resources", Answer{7, Offset(99), ResourceRows{{resource, bare}, true}});
  Query everything{13, Offset(12), 1'500,
                   AskResources{LonLat{118.958, 28.973},
                                120'000.0,
                                {ResourceType::expert},
                                "危化品处置",
                                place,
                                true,
                                50,
                                {{118.5, 28.5}, {119.5, 28.5}, {119.5, 29.5}, {118.5, 28.5}},
                                LonLatBox{118.25, 28.25, 119.75, 29.75},
                                "330800:alert:a,b,2020-11-09T00:31:05Z",
                                "念化路 foam",
                                {ResourceState::available, ResourceState::returning},
                                2'500,
                                {"zh", "en-GB"},
                                kNoon,
                                "d40934a0000000000:330800:resource:team-1",
                                kNoon + 1}};
  all.emplace_back("query_resources_with_all", everything);
  all.emplace_back("query_totals", Query{14, Offset(0), 0, AskTotals{place, {ResourceType::shelter}, "medical"}});
  resource.type = ResourceType::expert;
  resource.state = ResourceState::committed;
  resource.free_milli = 2'500;
  resource.held_milli = 10'000;
  resource.supply_code = "2010101";
  resource.attributes = {{"专业", "氟化工"}, {"grade", "1"}};
  resource.answerable = "王五";
  resource.answerable_phone = "0570-2";
  resource.valid_from = kNoon - 5;
  resource.valid_until = kNoon + 5;
  resource.languages = {"zh", "en"};
  resource.on_call = {{0x1F, 480, 1'080}, {0x60, 0, 1'440}};
  resource.area = {{118.5, 28.5}, {119.5, 28.5}, {119.5, 29.5}, {118.5, 28.5}};
  all.emplace_back("answer_resources_with_all",
                   Answer{13, Offset(99), ResourceRows{{resource}, true, "i:330800:resource:team-1"}});
  all.emplace_back("answer_totals",
                   Answer{14, Offset(99), TotalRows{{{place, ResourceType::shelter, 12, {7, 0, 3, 2}, 4'000, 120}}}});
  all.emplace_back("answer_alerts",
                   Answer{8, Offset(99),
                          AlertRows{{{"330800:alert:a,b,2020-11-09T00:31:05Z", Audience::conference(), "b", "a", kNoon,
                                      Status::Exercise, static_cast<std::uint8_t>(AlertState::dangling), MsgType::Update,
                                      Level::yellow, "火灾", "标题", "衢江区", RegionCode(330800), place, kNoon + 1}},
                                    false}});
  IncidentReport report = std::get<IncidentReport>(full_report().body);
  report.case_reference.clear();
  all.emplace_back(
      "answer_incidents",
      Answer{9, Offset(99),
             IncidentRows{{{"330800:incident:QZ-1",
                            Audience::conference(),
                            Status::Actual,
                            IncidentClass::accident,
                            Level::orange,
                            IncidentState::controlled,
                            RegionCode(330800),
                            place,
                            "氟硅厂火灾",
                            kNoon,
                            {{"police", agent.text(), report, Level::orange, place, kNoon, kNoon + 5, RegionCode(341000)}}}},
                          true}});
  StatusReport status{RegionCode(330800),
                      Epoch(1),
                      Incarnation(99),
                      "lianxi-broker 0.1.0",
                      Offset(100),
                      Offset(98),
                      3,
                      sample_vector(),
                      {{Audience::conference(), Hash{5}, sample_vector()}},
                      {{RegionCode(341000), "normal+bulk", "following", kNoon, "原因", 12}},
                      {{"refused.not_allowed", 3}},
                      kNoon};
  all.emplace_back("answer_status", Answer{10, Offset(99), status});
  StatusReport links;
  links.links = {
      {RegionCode(341000), "bulk", "down", kNoon, "原因", 12, {}, 13, 14, 15, 16, -17, RegionCode(350700), 18, 19, 20}};
  all.emplace_back("answer_links", Answer{11, Offset(99), links});
  all.emplace_back("query_retention", Query{11, Offset(0), 0, AskRetention{Lane::normal, Audience::conference(), kNoon}});
  const RetentionPlan plan{Sequence(4'000),
                           Sequence(4'100),
                           3'999,
                           0,
                           3'900,
                           12,
                           kNoon - 9,
                           kNoon - 8,
                           {"330800:incident:QZ-1"},
                           2,
                           {encode_event(full_resource())},
                           encode_event(full_retention())};
  all.emplace_back("answer_retention", Answer{11, Offset(99), plan});
  all.emplace_back("heartbeat_of_a_node", Heartbeat{kNoon, sample_vector(), MembersVersion(0x3f2a91c077de0b15)});
  status.members = MembersVersion(0x3f2a91c077de0b15);
  status.links.front().members = MembersVersion(1);
  all.emplace_back("answer_status_with_members", Answer{10, Offset(99), status});
  const FeedPosition place_in_feed{{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()}, {Sequence(7), Hash{}}};
  all.emplace_back("query_explain_entity", Query{11, Offset(1), 1, AskExplain{"330800:incident:QZ-1", std::nullopt, {}}});
  all.emplace_back("query_explain_feed", Query{12, Offset(1), 1, AskExplain{"", place_in_feed, {}}});
  ExplainReport explain;
  explain.offset = Offset(41);
  explain.feed = {place_in_feed.feed, {Sequence(7), Hash{9}}};
  explain.ordinal = Ordinal(12);
  explain.time = kNoon;
  explain.publisher = "330800.police.dispatch";
  explain.kind = Kind::incident;
  explain.entity = "330800:incident:QZ-1";
  explain.place = place;
  explain.agency = "police";
  explain.level = Level::orange;
  explain.receivers = {{RegionCode(341000), "黄山市", "Huangshan", Standing::member, Holding::behind, Sequence(6), kNoon - 5,
                        "down", kNoon - 9, "原因"}};
  explain.rights = {{"330800.fire.desk", true, false, "\"*.fire.*\" at line 27", "places: 3308"}};
  explain.rights_left_out = 2;
  explain.topics = {"incident/330803/police"};
  explain.kept_from = Offset(1);
  explain.others = {Offset(40), Offset(3)};
  all.emplace_back("answer_explain", Answer{11, Offset(99), explain});
  AskMobilisations asked{
      "330800:mobilisation:330800-20201109-0007", true, "330800:incident:QZ-1", RegionCode(361100), place, true, 20, ""};
  asked.after = cursor_of(sample_mobilisation());
  all.emplace_back("query_mobilisations", Query{12, Offset(1), 1, asked});
  MobilisationRow bare_thread;
  bare_thread.id = "330800:mobilisation:x";
  bare_thread.audience = Audience::local();
  all.emplace_back("answer_mobilisations", Answer{12, Offset(99), MobilisationRows{{sample_mobilisation(), bare_thread}, true}});
  return all;
}

// Of a node that was restored, has not seen everybody, and says so.
inline Message sample_status_fenced() {
  StatusReport status{RegionCode(330800),
                      Epoch(7821),
                      Incarnation(99),
                      "lianxi-broker 0.2.0",
                      Offset(100),
                      Offset(98),
                      3,
                      {},
                      {},
                      {},
                      {},
                      kNoon,
                      {},
                      {{"clock_ahead", "341000", "the clock of 341000 is 90 s ahead", kNoon - 1}},
                      FenceRow{Epoch(7821), kNoon - 5, {RegionCode(341000), RegionCode(350700)}}};
  return Answer{11, Offset(99), status};
}

}  // namespace lianxi::test
