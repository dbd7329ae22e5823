#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {

namespace {

Envelope envelope_of(Kind kind, Status status, const std::string& place, const std::string& audience_text) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.status = status;
  envelope.place = PlaceCode::parse(place).value();
  envelope.agency = "emergency";
  envelope.audience = audience(audience_text);
  envelope.occurred_at = kNoon;
  return envelope;
}

TimeMs sent_of(const std::string& identifier) {
  return kNoon + static_cast<TimeMs>(identifier.size()) * 1000;
}
const std::string kSender = "eb@quzhou.example";

}  // namespace

Event alert_event(const AlertOf& of) {
  Alert alert;
  alert.identifier = of.identifier;
  alert.sender = kSender;
  alert.sent = sent_of(of.identifier);
  alert.msg_type = of.type;
  for (const std::string& target : of.refers) alert.references.push_back({kSender, target, sent_of(target)});
  AlertInfo english;
  english.event = "Chemical leak";
  english.headline = "leak";
  english.categories = {Category::CBRNE};
  english.expires = of.expires;
  AlertInfo chinese = english;
  chinese.language = "zh-CN";
  chinese.event = "危化品事故";
  chinese.headline = of.headline;
  AlertArea area;
  area.description = "衢江区";
  area.polygons = {{{118.9, 28.9}, {119.0, 28.9}, {119.0, 29.0}, {118.9, 28.9}}};
  area.circles = {{{118.95, 28.97}, 5000}};
  area.geocodes = {{"GB/T 2260", "330803"}};
  chinese.areas = {area, area};
  chinese.areas[1].description = "柯城区";
  alert.infos = {english, chinese};
  Event event{envelope_of(Kind::alert, of.status, of.place, of.audience), alert};
  event.envelope.entity = alert_entity(of.home, alert.sender, alert.identifier, alert.sent);
  event.envelope.level = Level::orange;
  return event;
}

std::string alert_id(const std::string& identifier, RegionCode home) {
  return alert_entity(home, kSender, identifier, sent_of(identifier));
}

Event report_event(const ReportOf& of) {
  IncidentReport report;
  report.case_reference = of.case_reference;
  report.incident_class = of.incident_class;
  report.state = of.state;
  report.title = of.title;
  report.text = "in the words of " + of.agency;
  Event event{envelope_of(Kind::incident, of.status, of.place, of.audience), report};
  event.envelope.entity = incident_entity(of.home, of.case_reference);
  event.envelope.agency = of.agency;
  event.envelope.level = of.level;
  return event;
}

Event resource_event(const ResourceOf& of) {
  Resource resource;
  resource.change = of.change;
  resource.type = of.type;
  resource.name = of.name;
  resource.location = of.location;
  resource.capabilities = of.capabilities;
  resource.state = of.state;
  resource.quantity_milli = of.quantity_milli;
  resource.unit = "人";
  if (of.more) of.more(resource);
  Event event{envelope_of(Kind::resource, of.status, of.place, of.audience), resource};
  event.envelope.entity = resource_id(of.name, of.home);
  return event;
}
void keep(Resource& resource, ResourceGroups keeps) {
  resource.keeps = keeps;
  if (keeps.has(ResourceGroup::state)) resource.state = ResourceState::available;
  if (keeps.has(ResourceGroup::quantity)) resource.quantity_milli = 0;
  if (keeps.has(ResourceGroup::place)) resource.location.reset(), resource.area.clear();
  if (keeps.has(ResourceGroup::contact)) resource.contact.clear(), resource.phone.clear();
}
Event kept_event(const std::string& name, ResourceGroups keeps) {
  return resource_event({.name = name, .more = [keeps](Resource& resource) { keep(resource, keeps); }});
}
std::string resource_id(const std::string& name, RegionCode home) {
  return resource_entity(home, name);
}

bool admit_all(const Envelope& /*envelope*/) {
  return true;
}

ViewBench::ViewBench(const std::string& path) {
  options.path = path;
  reopen(identity_of());
}

void ViewBench::reopen(const JournalIdentity& identity) {
  read_.reset();
  view.reset();
  auto opened = open_view(options, identity);
  ASSERT_TRUE(opened) << opened.error().detail;
  view = std::move(*opened);
}

void ViewBench::apply(JournalSegment segment) {
  const auto applied = view->apply({std::move(segment)});
  ASSERT_TRUE(applied) << applied.error().detail;
}

void ViewBench::publish_bytes(const FeedId& feed, const Bytes& body) {
  const Offset at = view->offset();
  StoredSegment segment = regions.segment(feed, {body}, at);
  apply({at, std::move(segment.bytes), segment.seal});
}

void ViewBench::publish(const std::vector<Event>& events, std::optional<RegionCode> from) {
  for (const Event& event : events) {
    const auto valid = check_event(event);
    ASSERT_TRUE(valid) << valid.error().field << ": " << valid.error().reason;
    const RegionCode region = from.value_or(home_region(event.envelope.entity).value());
    publish_bytes(feed_of(region, lane_of(event), event.envelope.audience.text()), encode_event(event));
  }
}

ReadView& ViewBench::read() {
  if (!read_) {
    auto opened = open_read_view(options);
    if (!opened) throw std::runtime_error(opened.error().detail);
    read_ = std::move(*opened);
  }
  return *read_;
}

std::map<std::string, std::string> ViewBench::alert_states(TimeMs now, bool all) {
  AskAlerts ask;
  ask.all = all;
  const auto rows = read().alerts(ask, now, admit_all);
  if (!rows) throw std::runtime_error(rows.error().detail);
  std::map<std::string, std::string> states;
  for (const AlertRow& row : rows->rows) states[row.identifier] = to_word(static_cast<AlertState>(row.state));
  return states;
}

std::vector<std::string> ViewBench::resource_names(const AskResources& ask) {
  const auto rows = read().resources(ask, admit_all);
  if (!rows) throw std::runtime_error(rows.error().detail);
  std::vector<std::string> names;
  for (const ResourceRow& row : rows->rows) names.push_back(row.name);
  return names;
}

std::vector<DigestRow> ViewBench::digests() {
  auto rows = read().digests();
  if (!rows) throw std::runtime_error(rows.error().detail);
  return *rows;
}

}  // namespace lianxi::store::test
