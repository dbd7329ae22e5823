// Events for tests: full ones that fill every field, and small ones made from a number.
#pragma once

#include "schemas/event.h"

namespace lianxi::test {

inline constexpr TimeMs kNoon = 1'604'880'305'123;  // 2020-11-09T08:05:05.123+08:00
inline const RegionCode kQuzhou{330800};

template <class T>
T must(Result<T> result) {
  return std::move(result).value();
}

// What was said to the conference at noon.
inline Event at_noon(Kind kind, std::string entity, std::string_view place, const std::string& agency, Level level,
                     decltype(Event::body) body, Status status = Status::Actual) {
  Event event;
  event.envelope = {kind, std::move(entity), status, must(PlaceCode::parse(place)), agency, level, Audience::conference(), kNoon};
  event.body = std::move(body);
  return event;
}

inline Event full_alert() {
  Alert alert;
  alert.identifier = "330803-20201109-0007";
  alert.sender = "yjj@qz.gov.cn";
  alert.sent = 1'604'880'305'000;
  alert.msg_type = MsgType::Update;
  alert.scope = Scope::Restricted;
  alert.source = "值班员";
  alert.restriction = "仅限四市联席会议";
  alert.addresses = {"\"four cities\"", "nanping"};
  alert.codes = {"v1", "v2"};
  alert.note = "更新\n第二行";
  alert.references = {{"yjj@qz.gov.cn", "330803-20201109-0006", 1'604'876'705'000}};
  alert.incidents = {"QZ-2020-1109-1"};
  AlertInfo info;
  info.language = "zh-CN";
  info.categories = {Category::Fire, Category::CBRNE};
  info.event = "危化品火灾";
  info.response_types = {ResponseType::Evacuate, ResponseType::Monitor};
  info.urgency = Urgency::Immediate;
  info.severity = Severity::Extreme;
  info.certainty = Certainty::Observed;
  info.audience_text = "下风向居民";
  info.event_codes = {{"GB/T 35561", "11B03"}};
  info.effective = kNoon;
  info.onset = kNoon + 1;
  info.expires = kNoon + 7'200'000;
  info.sender_name = "衢州市应急管理局";
  info.headline = "衢江区氟硅厂火灾 红色预警";
  info.description = "浓烟向东南扩散。";
  info.instruction = "关闭门窗。";
  info.web = "https://yjglj.qz.gov.cn/a?b=1";
  info.contact = "0570-110";
  info.parameters = {{"风速", "3.2 m/s"}, {"空", ""}};
  info.resources = {{"现场图", "image/png", 12'345, "https://example.org/1.png", "2fd4e1c6"},
                    {"无大小", "", std::nullopt, "", ""}};
  AlertArea area;
  area.description = "衢江区高新园区";
  area.polygons = {{{118.95, 28.97}, {118.99, 28.97}, {118.99, 29.01}, {118.95, 28.97}}};
  area.circles = {{{118.958, 28.973}, 3'000.5}};
  area.geocodes = {{"GB/T 2260", "330803"}};
  area.altitude_ft = 0.0;
  area.ceiling_ft = 1'200.25;
  info.areas = {area, {"第二片", {}, {}, {}, std::nullopt, std::nullopt}};
  alert.infos = {info};
  return at_noon(Kind::alert, alert_entity(kQuzhou, alert.sender, alert.identifier, alert.sent), "330803", "emergency",
                 Level::red, alert);
}

inline Event full_report() {
  IncidentReport report;
  report.case_reference = "QZ-2020-1109-1";
  report.report_type = ReportType::follow_up;
  report.incident_class = IncidentClass::accident;
  report.state = IncidentState::responding;
  report.event_code = "11B03";
  report.title = "氟硅厂火灾";
  report.text = "厂区西侧二车间起火\n有爆炸声";
  report.address = "衢江区念化路8号";
  report.location = LonLat{118.958, 28.973};
  report.deaths = 0;
  report.missing = 1;
  report.injured = 3;
  report.trapped = 2;
  report.affected = 1'200;
  report.own_reference = "110-20201109-00042";
  report.reporter = "张三";
  report.fields = {{"jjdbh", "3308032020110900042"}, {"bjsj", "2020-11-09 08:03"}};
  return at_noon(Kind::incident, incident_entity(kQuzhou, report.case_reference), "330803001", "police", Level::orange, report,
                 Status::Exercise);
}

inline Event full_resource() {
  Resource resource;
  resource.change = ResourceChange::upsert;
  resource.type = ResourceType::shelter;
  resource.name = "樟潭中心小学避灾安置场所";
  resource.owner = "衢江区应急管理局";
  resource.address = "樟潭街道";
  resource.location = LonLat{118.9601, 28.9788};
  resource.capabilities = {"shelter", "medical-aid"};
  resource.state = ResourceState::reserved;
  resource.quantity_milli = 14'000'500;
  resource.unit = "只";
  resource.capacity = 420;
  resource.occupancy = 0;
  resource.supply_code = "1010101";
  resource.contact = "李四";
  resource.phone = "0570-1234567";
  resource.attributes = {{"level", "省级"}};
  Event event;
  event.envelope = {Kind::resource,    resource_entity(kQuzhou, "shelter-0001"),
                    Status::Actual,    must(PlaceCode::parse("330803001001")),
                    "emergency",       Level::none,
                    Audience::local(), kNoon};
  event.body = resource;
  return event;
}

// An upsert that says as little as it may.
inline Event kept_resource() {
  Event event = full_resource();
  event.body = Resource{.type = ResourceType::shelter, .name = "樟潭中心小学避灾安置场所", .keeps = {0x0F}};
  return event;
}

// A site and an expert of every field that full_resource has not.
inline Event full_site() {
  Event event = full_resource();
  event.envelope.entity = resource_entity(kQuzhou, "site-0007");
  auto& site = std::get<Resource>(event.body);
  site.type = ResourceType::site;
  site.state = ResourceState::returning;
  site.answerable = "王五";
  site.answerable_phone = "13800000000";
  site.valid_from = kNoon;
  site.valid_until = kNoon + 86'400'000;
  site.area = {{118.9, 28.9}, {119.0, 28.9}, {119.0, 29.0}, {118.9, 28.9}};
  site.languages = {"zh", "en-GB"};
  site.on_call = {{0x1F, 8 * 60, 18 * 60}, {0x60, 0, 24 * 60}};
  return event;
}

// Shangrao's answer to a request of Quzhou, with every field.
inline Event full_mobilisation() {
  Mobilisation answer;
  answer.message = ResourceMessage::ResponseToRequestResource;
  answer.message_id = "361100-20201109-0001";
  answer.originating_id = "330800-20201109-0007";
  answer.preceding_id = "330800-20201109-0007";
  answer.sent = kNoon;
  answer.description = "可先出一队";
  answer.recall = Recall::Update;
  answer.recalled_id = "361100-20201109-0000";
  answer.incident = incident_entity(kQuzhou, "QZ-2020-1109-01");
  answer.to = {kQuzhou};
  answer.answer_by = kNoon + 1'800'000;
  answer.funding = {{"FundCode", "HC-2020"}};
  answer.contacts = {{ContactRole::RespondingOrg, "赵六", "上饶市应急管理局", "0793-8200000"}};
  MobilisationItem item;
  item.id = "1";
  item.preceding = "1";
  item.response = Response::Accept;
  item.reason_code = "partial";
  item.reason = "另一队在执行任务";
  item.resource = "361100:resource:team-3";
  item.type = ResourceType::team;
  item.name = "上饶市危化品救援一队";
  item.capability = "hazmat";
  item.description = "12 人 2 车";
  item.quantity_milli = 1'000;
  item.unit = "支";
  item.restrictions = "不下井";
  item.anticipated_function = "堵漏";
  item.price_quote = "0 CNY";
  item.order_id = "SR-7";
  item.instructions = "到达后向现场指挥报到";
  item.deployment = Deployment::departed;
  item.schedule = {{ScheduleType::EstimatedArrival, kNoon + 7'200'000, LonLat{118.96, 28.97}, "衢江区高新片区"}};
  answer.items = {item};
  return at_noon(Kind::mobilisation, mobilisation_entity(kQuzhou, answer.originating_id), "330803", "emergency", Level::orange,
                 answer);
}

inline Event full_retention() {
  Retention retention;
  retention.epoch = Epoch(3);
  retention.lane = Lane::normal;
  retention.through = {Sequence(4'000), Hash{1, 2, 3}};
  retention.ordinal = Ordinal(9'000);
  retention.before = kNoon - 86'400'000;
  retention.position = Sequence(5'000);
  retention.digest = Hash{4, 5, 6};
  return at_noon(Kind::retention, retention_entity(kQuzhou, Lane::normal, Audience::conference()), "330800", "emergency",
                 Level::none, retention);
}

inline Event full_override() {
  return at_noon(Kind::override, override_entity(kQuzhou, Epoch(7821)), "330800", "emergency", Level::none,
                 Override{Overridden::fence, "南平断网,值班局长同意先行调派"});
}

// A small event whose content depends on `number`.
inline Event small_event(std::uint64_t number) {
  Event event = full_report();
  auto& report = std::get<IncidentReport>(event.body);
  report.case_reference = "case-" + std::to_string(number);
  report.text.assign(number % 97, 'x');
  event.envelope.entity = incident_entity(kQuzhou, report.case_reference);
  return event;
}

}  // namespace lianxi::test
