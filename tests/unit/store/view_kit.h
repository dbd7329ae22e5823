// Events of each kind, a view that takes them, and what a question answers.
#pragma once

#include "schemas/vocabulary.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {

inline constexpr TimeMs kNoon = 1'604'880'000'000;  // some day of 2020

struct AlertOf {  // what a test says of an alert; the rest is usual
  std::string identifier;
  MsgType type = MsgType::Alert;
  std::vector<std::string> refers = {};  // identifiers, with the same sender
  RegionCode home = kQuzhou;
  Status status = Status::Actual;
  std::string audience = "conference";
  std::optional<TimeMs> expires = std::nullopt;
  std::string place = "330803";
  std::string headline = "危化品泄漏";
};
[[nodiscard]] Event alert_event(const AlertOf& of);
[[nodiscard]] std::string alert_id(const std::string& identifier, RegionCode home = kQuzhou);

struct ReportOf {
  std::string case_reference;
  std::string agency = "police";
  IncidentClass incident_class = IncidentClass::unknown;
  IncidentState state = IncidentState::reported;
  Level level = Level::none;
  std::string title = {};
  std::string place = "330803";
  RegionCode home = kQuzhou;
  std::string audience = "conference";
  Status status = Status::Actual;
};
[[nodiscard]] Event report_event(const ReportOf& of);

struct ResourceOf {
  std::string name;
  ResourceChange change = ResourceChange::upsert;
  ResourceType type = ResourceType::team;
  std::optional<LonLat> location = std::nullopt;
  std::vector<std::string> capabilities = {};
  ResourceState state = ResourceState::available;
  std::int64_t quantity_milli = 1000;
  RegionCode home = kQuzhou;
  std::string place = "330803";
  std::string audience = "conference";
  Status status = Status::Actual;
  std::function<void(Resource&)> more = {};
};
[[nodiscard]] Event resource_event(const ResourceOf& of);
// An upsert that keeps these groups.
[[nodiscard]] Event kept_event(const std::string& name, ResourceGroups keeps);
// Takes out of an upsert what it then keeps.
void keep(Resource& resource, ResourceGroups keeps);
[[nodiscard]] std::string resource_id(const std::string& name, RegionCode home = kQuzhou);

// A view with the events published into it.
class ViewBench {
 public:
  explicit ViewBench(const std::string& path);
  // Each event as its own segment, into the feed of its audience and lane from `from` (the event's home if not given).
  void publish(const std::vector<Event>& events, std::optional<RegionCode> from = std::nullopt);
  void publish_bytes(const FeedId& feed, const Bytes& body);
  void apply(JournalSegment segment);
  void reopen(const JournalIdentity& identity);

  [[nodiscard]] ReadView& read();
  [[nodiscard]] std::map<std::string, std::string> alert_states(TimeMs now = kNoon + 1000, bool all = true);
  [[nodiscard]] std::vector<std::string> resource_names(const AskResources& ask);
  [[nodiscard]] std::vector<DigestRow> digests();

  ViewOptions options;
  std::unique_ptr<View> view;
  Regions regions;

 private:
  std::unique_ptr<ReadView> read_;
};
[[nodiscard]] bool admit_all(const Envelope& envelope);

}  // namespace lianxi::store::test
