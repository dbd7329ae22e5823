#include "tests/sim/race.h"

#include <algorithm>

namespace lianxi::sim {
namespace {

using State = MobilisationState;

constexpr std::int64_t kUnits = 1'000;

std::string thread_of(const MobilisationRow& row) {
  return row.id.substr(row.id.rfind(':') + 1);
}

// Its home's to end: nobody else must say anything first.
bool waits_for_home(const MobilisationRow& row) {
  return std::all_of(row.holdings.begin(), row.holdings.end(),
                     [&](const HoldingRow& holding) { return holding.region == row.region || is_final(holding.state); });
}

bool is_offer(const MobilisationRow& row) {
  return thread_of(row).starts_with("O");
}

}  // namespace

std::vector<MobilisationRow> Race::open(RegionCode own) const {
  return look_ ? look_(own) : std::vector<MobilisationRow>{};
}

Event Race::stock(Envelope about, RegionCode own) {
  Resource body;
  const std::size_t number = stocked_[own]++;
  body.change = number < 2 || random_.chance(50) ? ResourceChange::upsert : ResourceChange::quantity;
  body.type = ResourceType::supply;
  body.name = "supply " + std::to_string(++serial_);
  body.quantity_milli = (number < 2 ? 100 : random_.between(60, 140)) * kUnits;
  about.kind = Kind::resource;
  about.status = Status::Actual;
  about.audience = Audience::conference();
  about.entity = resource_entity(own, kRaceSupply + std::to_string(number < 2 ? number : random_.below(2)));
  return {about, body};
}

Event Race::begin(Envelope about, RegionCode own) {
  const bool offers = random_.chance(15);
  Mobilisation body;
  body.message = offers ? ResourceMessage::OfferUnsolicitedResource : ResourceMessage::RequestResource;
  body.message_id = (offers ? "O" : "R") + std::to_string(++serial_);
  body.originating_id = body.message_id;
  body.sent = world_.now();
  if (!offers && random_.chance(30)) body.answer_by = world_.now() + random_.between(1'000, 60'000);
  MobilisationItem item;
  item.id = "1";
  item.type = ResourceType::supply;
  item.name = "supply";
  item.quantity_milli = random_.between(20, 120) * kUnits;
  if (offers) item.resource = resource_entity(own, supply());
  body.items.push_back(std::move(item));
  about.kind = Kind::mobilisation;
  about.entity = mobilisation_entity(own, body.originating_id);
  return {about, body};
}

Event Race::say(const MobilisationRow& row, RegionCode own, const std::string& agency, const Words& words) {
  Mobilisation body;
  body.message = words.message;
  body.message_id = "M" + std::to_string(++serial_);
  body.originating_id = thread_of(row);
  body.sent = world_.now();
  if (words.message == ResourceMessage::CommitResource || words.response) body.preceding_id = body.originating_id;
  if (!words.recalled.empty()) {
    body.recall = Recall::Cancel;
    body.recalled_id = words.recalled;
    body.preceding_id.clear();
  } else {
    MobilisationItem item;
    item.id = "1";
    item.preceding = words.item.empty() ? "1" : words.item;
    item.response = words.response;
    if (words.response == Response::Decline) item.reason = "no";
    item.resource = words.resource;
    item.quantity_milli = words.quantity;
    item.deployment = words.deployment;
    if (words.until) item.schedule.push_back({ScheduleType::EndAvailable, words.until, std::nullopt, {}});
    body.items.push_back(std::move(item));
  }
  Envelope about{Kind::mobilisation, row.id, row.status, PlaceCode::of(own), agency, Level::none, row.audience, world_.now()};
  return {about, body};
}

Event Race::answer(const MobilisationRow& row, RegionCode own, const std::string& agency) {
  Words words;
  words.message = ResourceMessage::ResponseToRequestResource;
  words.resource = resource_entity(own, supply());
  words.quantity = random_.between(10, 70) * kUnits;
  switch (random_.below(6)) {
    case 0:
      words.response = Response::Accept;
      break;
    case 1:
    case 2:
      words.response = Response::Provisional;
      if (random_.chance(60)) words.until = world_.now() + random_.between(500, 40'000);
      break;
    case 3:
      words.response = Response::Decline;
      words.resource.clear();
      break;
    default:
      words.message = ResourceMessage::CommitResource;
  }
  return say(row, own, agency, words);
}

// The owner's next step with what it has promised.
Event Race::go_on(const MobilisationRow& row, const HoldingRow& holding, RegionCode own, const std::string& agency) {
  Words words{.message = ResourceMessage::ReportResourceDeploymentStatus, .resource = holding.resource, .item = holding.item};
  switch (holding.state) {
    case State::offered:
    case State::provisional:
    case State::requisitioned:
      words.message = ResourceMessage::CommitResource;
      words.quantity = holding.quantity_milli;
      if (random_.chance(75)) break;
      words.message = ResourceMessage::ResponseToRequestResource;
      words.response = Response::Decline;
      break;
    case State::committed:
      words.deployment = random_.chance(80) ? Deployment::departed : Deployment::returned;
      break;
    case State::departed:
      words.deployment = Deployment::arrived;
      break;
    case State::returning:
      words.deployment = Deployment::returned;
      break;
    default:
      words.deployment = Deployment::returning;
      if (holding.state == State::arrived && random_.chance(20)) words.message = ResourceMessage::RequestReturn;
  }
  if (words.message == ResourceMessage::RequestReturn) words.deployment = Deployment::none;
  return say(row, own, agency, words);
}

// The requester's.
Event Race::ask_for(const MobilisationRow& row, const HoldingRow& holding, RegionCode own, const std::string& agency) {
  Words words{.message = ResourceMessage::ReleaseResource, .resource = holding.resource, .item = holding.item};
  words.quantity = holding.quantity_milli;
  if (holding.state < State::committed) words.message = ResourceMessage::RequisitionResource;
  if (holding.state >= State::committed && random_.chance(30)) words.message = ResourceMessage::RequestExtendedDeploymentDuration;
  return say(row, own, agency, words);
}

Event Race::next(Envelope about, RegionCode own) {
  if (stocked_[own] < 2 || random_.chance(12)) return stock(about, own);
  const std::vector<MobilisationRow> rows = open(own);
  if (rows.empty() || random_.chance(20)) return begin(about, own);
  const MobilisationRow& row = rows[static_cast<std::size_t>(random_.below(rows.size()))];
  if (row.region == own && random_.chance(8)) {
    const auto first = is_offer(row) ? ResourceMessage::OfferUnsolicitedResource : ResourceMessage::RequestResource;
    return say(row, own, about.agency, {.message = first, .recalled = thread_of(row)});
  }
  for (const HoldingRow& holding : row.holdings) {
    if (is_final(holding.state) || random_.chance(30)) continue;
    if (holding.region == own) return go_on(row, holding, own, about.agency);
    if (row.region == own) return ask_for(row, holding, own, about.agency);
  }
  if (is_offer(row)) return begin(about, own);
  return answer(row, own, about.agency);
}

bool Race::has_duties(RegionCode own) const {
  for (const MobilisationRow& row : open(own)) {
    if (row.region == own && waits_for_home(row)) return true;
    for (const HoldingRow& holding : row.holdings)
      if (holding.region == own && !is_final(holding.state)) return true;
  }
  return false;
}

std::vector<Event> Race::to_finish(RegionCode own, const std::string& agency) {
  std::vector<Event> events;
  for (const MobilisationRow& row : open(own)) {
    for (const HoldingRow& holding : row.holdings) {
      if (holding.region != own || is_final(holding.state)) continue;
      Words words{.message = ResourceMessage::ReportResourceDeploymentStatus, .resource = holding.resource, .item = holding.item};
      words.deployment = Deployment::returned;
      if (holding.state < State::committed) {
        if (is_offer(row)) continue;  // goes with the offer
        words.message = ResourceMessage::ResponseToRequestResource;
        words.response = Response::Decline;
        words.deployment = Deployment::none;
      }
      events.push_back(say(row, own, agency, words));
    }
    if (row.region != own || !waits_for_home(row)) continue;
    const auto first = is_offer(row) ? ResourceMessage::OfferUnsolicitedResource : ResourceMessage::RequestResource;
    events.push_back(say(row, own, agency, {.message = first, .recalled = thread_of(row)}));
  }
  return events;
}

}  // namespace lianxi::sim
