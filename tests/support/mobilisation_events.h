// Messages of mobilisations, made from what a test says of them.
#pragma once

#include "schemas/event.h"

namespace lianxi::test {

struct ItemOf {
  std::string resource;           // entity
  std::int64_t quantity = 1'000;  // thousandths
  std::string need = "1";
  std::optional<Response> response = std::nullopt;
  Deployment deployment{};
  std::optional<TimeMs> until = std::nullopt;
};
struct MessageOf {
  ResourceMessage message{};
  std::string id;
  std::string thread;
  RegionCode home;  // of the thread
  std::vector<ItemOf> items = {};
  std::string preceding = {};
  std::string recalled = {};
  Recall recall = Recall::Cancel;  // of `recalled`
  std::vector<RegionCode> to = {};
  std::optional<TimeMs> answer_by = std::nullopt;
  Status status = Status::Actual;
  TimeMs at = 1'604'894'400'000;
};

inline Event mobilisation(const MessageOf& of) {
  Mobilisation body;
  body.message = of.message;
  body.message_id = of.id;
  body.originating_id = of.thread;
  body.preceding_id = of.preceding;
  body.sent = of.at;
  if (!of.recalled.empty()) {
    body.recall = of.recall;
    body.recalled_id = of.recalled;
  }
  body.to = of.to;
  body.answer_by = of.answer_by;
  const bool asks = of.message == ResourceMessage::RequestResource;
  for (const ItemOf& one : of.items) {
    MobilisationItem item;
    item.id = asks ? one.need : std::to_string(body.items.size() + 1);
    if (!asks) item.preceding = one.need;
    item.response = one.response;
    if (one.response == Response::Decline) item.reason = "队伍在外";
    item.resource = asks ? std::string() : one.resource;
    item.type = ResourceType::supply;
    item.name = "防毒面具";
    item.quantity_milli = one.quantity;
    item.deployment = one.deployment;
    if (one.until) item.schedule.push_back({ScheduleType::EndAvailable, one.until, std::nullopt, {}});
    body.items.push_back(std::move(item));
  }
  Event event;
  event.envelope = {Kind::mobilisation,
                    mobilisation_entity(of.home, of.thread),
                    of.status,
                    PlaceCode::of(of.home),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    of.at};
  event.body = std::move(body);
  return event;
}

// A stock that is counted.
inline Event stock(RegionCode home, const std::string& name, std::int64_t quantity_milli,
                   ResourceChange change = ResourceChange::upsert, ResourceState state = ResourceState::available) {
  Resource body;
  body.change = change;
  body.type = ResourceType::supply;
  body.name = name;
  body.state = state;
  body.quantity_milli = quantity_milli;
  Event event;
  event.envelope = {Kind::resource, resource_entity(home, name), Status::Actual,   PlaceCode::of(home), "emergency",
                    Level::none,    Audience::conference(),      1'604'894'400'000};
  event.body = std::move(body);
  return event;
}

}  // namespace lianxi::test
