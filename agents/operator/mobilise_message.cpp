#include "agents/operator/mobilise_message.h"

#include <algorithm>

namespace lianxi::cli {
namespace {

tl::unexpected<Refusal> lacking(const char* option, std::string reason) {
  return refuse(RefusalCode::missing_field, option, std::move(reason));
}

bool is_word(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

class Builder {
 public:
  Builder(const MobiliseCommand& command, const MobilisationRow* thread, const Speaker& speaker, const Say& say)
      : command_(command), thread_(thread), speaker_(speaker), say_(say) {}

  Result<Event> event() {
    Mobilisation& message = message_;
    message.message_id = speaker_.message_id;
    message.sent = speaker_.now;
    message.description = command_.text;
    message.incident = command_.incident;
    message.to = command_.to;
    if (command_.answer_by) message.answer_by = command_.answer_by->moment(speaker_.now);
    if (auto made = thread_ == nullptr ? begin() : go_on(); !made) return tl::unexpected(std::move(made.error()));
    return Event{envelope(), message};
  }

 private:
  [[nodiscard]] bool at_home() const { return thread_ != nullptr && thread_->region == speaker_.region; }

  Envelope envelope() const {
    Envelope envelope;
    envelope.kind = Kind::mobilisation;
    envelope.agency = speaker_.agency;
    envelope.occurred_at = speaker_.now;
    envelope.level = command_.level;
    envelope.status = thread_ == nullptr ? command_.status : thread_->status;
    envelope.entity = thread_ == nullptr ? mobilisation_entity(speaker_.region, message_.originating_id) : thread_->id;
    if (thread_ == nullptr) {
      envelope.place = command_.place.value_or(PlaceCode::of(speaker_.region));
      envelope.audience = command_.audience.value_or(Audience::conference());
    } else {
      envelope.place = command_.place.value_or(thread_->place);
      envelope.audience = thread_->audience;
      if (command_.level == Level::none) envelope.level = thread_->level;
    }
    return envelope;
  }

  Result<void> begin() {
    message_.originating_id = message_.message_id;
    if (command_.move == Move::request) return request();
    if (command_.move == Move::offer) return offer_unasked();
    return lacking("THREAD", say_("name the mobilisation: its id as `lianxi mobilise list` shows it",
                                  "请写明资源调度的编号,见 `lianxi mobilise list`"));
  }

  Result<void> request() {
    message_.message = ResourceMessage::RequestResource;
    if (command_.needs.empty())
      return lacking("--need", say_("say what is needed, as in --need team:hazmat=2", "请写明需求,如 --need team:hazmat=2支"));
    for (const Need& need : command_.needs) {
      MobilisationItem item;
      item.id = std::to_string(message_.items.size() + 1);
      item.type = need.type;
      (is_word(need.what) ? item.capability : item.name) = need.what;
      item.quantity_milli = need.quantity_milli;
      item.unit = need.unit;
      add(item, ScheduleType::RequestedArrival, command_.arrive_by, true);
      add(item, ScheduleType::EstimatedReturnDeparture, command_.until);
      message_.items.push_back(std::move(item));
    }
    return {};
  }

  Result<void> offer_unasked() {
    message_.message = ResourceMessage::OfferUnsolicitedResource;
    return each_resource([&](MobilisationItem& item, const Picked&) -> Result<void> {
      add(item, ScheduleType::EndAvailable, command_.until);
      if (item.quantity_milli > 0) return {};
      return lacking("--resource", say_("say how many, as in --resource ENTITY=1", "请写明数量,如 --resource 实体=1"));
    });
  }

  Result<void> go_on() {
    message_.originating_id = thread_->id.substr(thread_->id.find(':', 7) + 1);
    switch (command_.move) {
      case Move::request:
        return refuse(RefusalCode::invalid_field, "THREAD",
                      say_("a request begins a thread of its own", "新的请求不属于已有编号"));
      case Move::offer:
        return answer(ResourceMessage::ResponseToRequestResource, Response::Provisional);
      case Move::requisition:
        return about(ResourceMessage::RequisitionResource,
                     latest({ResourceMessage::ResponseToRequestResource, ResourceMessage::OfferUnsolicitedResource}));
      case Move::commit:
        return answer(ResourceMessage::CommitResource, std::nullopt);
      case Move::decline:
        return decline();
      case Move::depart:
        return report(Deployment::departed);
      case Move::arrive:
        return report(Deployment::arrived);
      case Move::extend:
        return extend();
      case Move::release:
        return about(ResourceMessage::ReleaseResource, latest({ResourceMessage::CommitResource}));
      case Move::return_:
        return give_back();
      case Move::recall:
        return recall();
      case Move::ask:
        return about(ResourceMessage::RequestResourceDeploymentStatus, latest({ResourceMessage::CommitResource}));
    }
    return {};
  }

  // An offer or a commitment of own resources, each for an item of the request.
  Result<void> answer(ResourceMessage message, std::optional<Response> response) {
    message_.message = message;
    message_.preceding_id = latest(
        {ResourceMessage::RequisitionResource, ResourceMessage::RequestResource, ResourceMessage::OfferUnsolicitedResource});
    return each_resource([&](MobilisationItem& item, const Picked&) -> Result<void> {
      item.response = response;
      item.reason = command_.reason;
      add(item, ScheduleType::EstimatedArrival, command_.eta);
      add(item, ScheduleType::EndAvailable, command_.until);
      if (item.preceding.empty())
        return lacking("--item",
                       say_("several things are asked for: say which one, as in --item 1; `lianxi mobilise show` lists them",
                            "该请求有多项需求,请用 --item 写明是哪一项,见 `lianxi mobilise show`"));
      return {};
    });
  }

  Result<void> decline() {
    message_.message = ResourceMessage::ResponseToRequestResource;
    message_.preceding_id = latest({ResourceMessage::RequestResource});
    if (command_.reason.empty()) return lacking("--reason", say_("say why", "请写明理由"));
    for (const NeedRow& need : thread_->needs) {
      if (!command_.item.empty() && need.id != command_.item) continue;
      MobilisationItem item;
      item.id = std::to_string(message_.items.size() + 1);
      item.preceding = need.id;
      item.response = Response::Decline;
      item.reason = command_.reason;
      if (!command_.resources.empty()) item.resource = command_.resources.front().resource;
      message_.items.push_back(std::move(item));
    }
    if (!message_.items.empty()) return {};
    return refuse(RefusalCode::invalid_field, "--item", say_("the request has no such item", "该请求没有这一项"));
  }

  Result<void> report(Deployment deployment) {
    return about(ResourceMessage::ReportResourceDeploymentStatus, latest({ResourceMessage::CommitResource}),
                 [&](MobilisationItem& item) {
                   item.deployment = deployment;
                   if (deployment == Deployment::departed) add(item, ScheduleType::EstimatedArrival, command_.eta, true);
                   if (deployment == Deployment::arrived) add(item, ScheduleType::ActualArrival, When{speaker_.now, {}}, true);
                 });
  }

  Result<void> extend() {
    if (at_home()) {
      if (!command_.until) return lacking("--until", say_("until when, as in 6h or a time", "请写明延长到何时,如 6h 或时刻"));
      return about(ResourceMessage::RequestExtendedDeploymentDuration, latest({ResourceMessage::CommitResource}),
                   [&](MobilisationItem& item) { add(item, ScheduleType::RequestedReturnDeparture, command_.until); });
    }
    return about(ResourceMessage::ResponseToRequestExtendedDeploymentDuration,
                 latest({ResourceMessage::RequestExtendedDeploymentDuration}), [&](MobilisationItem& item) {
                   item.response = command_.reason.empty() ? Response::Accept : Response::Decline;
                   item.reason = command_.reason;
                   add(item, ScheduleType::EndAvailable, command_.until);
                 });
  }

  Result<void> give_back() {
    if (at_home() && !owns_any()) {
      return about(ResourceMessage::ResponseToRequestReturn, latest({ResourceMessage::RequestReturn}),
                   [&](MobilisationItem& item) {
                     item.response = command_.reason.empty() ? Response::Accept : Response::Decline;
                     item.reason = command_.reason;
                   });
    }
    if (command_.asks_back)
      return about(ResourceMessage::RequestReturn, latest({ResourceMessage::CommitResource}), [&](MobilisationItem& item) {
        item.reason = command_.reason;
        add(item, ScheduleType::RequestedReturnDeparture, command_.until);
      });
    return report(command_.under_way ? Deployment::returning : Deployment::returned);
  }

  Result<void> recall() {
    const ThreadMessageRow* recalled = nullptr;
    for (const ThreadMessageRow& row : thread_->messages) {
      const bool own = row.region == speaker_.region && !row.message.recall;
      if (own && (command_.recalled.empty() || row.message.message_id == command_.recalled)) recalled = &row;
    }
    if (recalled == nullptr)
      return refuse(RefusalCode::not_found, "--message",
                    say_("no such message of this city in the thread; `lianxi mobilise show` lists them",
                         "该编号下没有本市发出的这条消息,见 `lianxi mobilise show`"));
    message_.message = recalled->message.message;
    message_.preceding_id = recalled->message.preceding_id;
    if (message_.preceding_id.empty()) message_.preceding_id = recalled->message.message_id;
    message_.recall = Recall::Cancel;
    message_.recalled_id = recalled->message.message_id;
    if (message_.description.empty()) message_.description = command_.reason;
    return {};
  }

  // A message about resources that the thread knows already; without --resource, about all of them that concern the speaker.
  template <class Fill>
  Result<void> about(ResourceMessage message, const std::string& preceding, Fill fill) {
    message_.message = message;
    message_.preceding_id = preceding;
    std::vector<Picked> picked = command_.resources;
    if (picked.empty()) {
      for (const HoldingRow& holding : thread_->holdings) {
        const bool own = holding.region == speaker_.region;
        if ((own || at_home()) && !holding.resource.empty() && !is_final(holding.state) &&
            (command_.item.empty() || command_.item == holding.item))
          picked.push_back({holding.resource, 0, ""});
      }
    }
    if (picked.empty())
      return refuse(RefusalCode::not_found, "--resource",
                    say_("the thread holds no resource that this could be about", "该编号下没有可适用的资源"));
    for (const Picked& pick : picked) {
      MobilisationItem item = item_of(pick);
      fill(item);
      message_.items.push_back(std::move(item));
    }
    return {};
  }
  Result<void> about(ResourceMessage message, const std::string& preceding) {
    return about(message, preceding, [&](MobilisationItem& item) { item.reason = command_.reason; });
  }

  template <class Fill>
  Result<void> each_resource(Fill fill) {
    if (command_.resources.empty())
      return lacking("--resource", say_("name what is offered, as in --resource 361100:resource:team-3=1",
                                        "请写明提供的资源,如 --resource 361100:resource:team-3=1"));
    for (const Picked& pick : command_.resources) {
      MobilisationItem item = item_of(pick);
      if (auto filled = fill(item, pick); !filled) return filled;
      message_.items.push_back(std::move(item));
    }
    return {};
  }

  // What the thread says of the resource, and what the command says beyond it.
  MobilisationItem item_of(const Picked& pick) const {
    MobilisationItem item;
    item.id = std::to_string(message_.items.size() + 1);
    item.resource = pick.resource;
    item.preceding = command_.item;
    item.quantity_milli = pick.quantity_milli;
    item.unit = pick.unit;
    if (thread_ == nullptr) return item;
    for (const HoldingRow& holding : thread_->holdings) {
      if (holding.resource != pick.resource || is_final(holding.state)) continue;
      if (item.preceding.empty()) item.preceding = holding.item;
      if (item.preceding != holding.item) continue;
      item.name = holding.name;
      if (item.quantity_milli == 0) item.quantity_milli = holding.quantity_milli;
      if (item.unit.empty()) item.unit = holding.unit;
    }
    if (item.preceding.empty() && thread_->needs.size() == 1) item.preceding = thread_->needs.front().id;
    for (const NeedRow& need : thread_->needs) {
      if (need.id != item.preceding) continue;
      if (item.quantity_milli == 0) item.quantity_milli = need.quantity_milli;
      if (item.unit.empty()) item.unit = need.unit;
      item.capability = need.capability;
      item.type = need.type;
    }
    return item;
  }

  // The id of the thread's latest message of the first of these types that it has.
  [[nodiscard]] std::string latest(std::initializer_list<ResourceMessage> types) const {
    for (const ResourceMessage type : types) {
      for (auto row = thread_->messages.rbegin(); row != thread_->messages.rend(); ++row)
        if (row->message.message == type && !row->message.recall) return row->message.message_id;
    }
    return message_.originating_id;
  }

  [[nodiscard]] bool owns_any() const {
    const auto own = [&](const std::string& resource) { return home_region(resource) == Result<RegionCode>(speaker_.region); };
    if (!command_.resources.empty())
      return std::ranges::any_of(command_.resources, [&](const Picked& pick) { return own(pick.resource); });
    return std::ranges::any_of(thread_->holdings, [&](const HoldingRow& row) { return row.region == speaker_.region; });
  }

  void add(MobilisationItem& item, ScheduleType type, const std::optional<When>& when, bool with_place = false) const {
    Schedule entry{type, std::nullopt, std::nullopt, {}};
    if (when) entry.at = when->moment(speaker_.now);
    if (with_place) {
      entry.location = command_.location;
      entry.address = command_.address;
    }
    if (entry.at || entry.location || !entry.address.empty()) item.schedule.push_back(std::move(entry));
  }

  const MobiliseCommand& command_;
  const MobilisationRow* thread_;
  const Speaker& speaker_;
  const Say& say_;
  Mobilisation message_;
};

}  // namespace

Result<Event> message_of(const MobiliseCommand& command, const MobilisationRow* thread, const Speaker& speaker, const Say& say) {
  return Builder(command, thread, speaker, say).event();
}

}  // namespace lianxi::cli
