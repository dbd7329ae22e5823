// Believable events and agents for the tests of the rules.
#pragma once

#include <string>

#include "broker/core/policy.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::core {

inline constexpr TimeMs kNoon = 1'604'894'400'000;  // 2020-11-09 12:00 in Beijing: the fire in 衢江区
inline constexpr RegionCode kQuzhou{330800};
inline constexpr RegionCode kHuangshan{341000};
inline constexpr RegionCode kNanping{350700};
inline constexpr RegionCode kShangrao{361100};

[[nodiscard]] inline Agent agent_named(const std::string& id, Role role = Role::agent) {
  const AgentId parsed = AgentId::parse(id).value();
  return Agent{parsed, std::string(parsed.agency()), role};
}
[[nodiscard]] inline Agent police() {
  return agent_named("330800.police.dispatch");
}
[[nodiscard]] inline Agent fire() {
  return agent_named("330800.fire.dispatch");
}
[[nodiscard]] inline Agent emergency() {
  return agent_named("330800.emergency.duty");
}
[[nodiscard]] inline Agent operator_agent() {
  return agent_named("330800.emergency.operator", Role::operator_);
}
[[nodiscard]] inline Agent node_of(RegionCode region) {
  return agent_named(to_text(region) + ".broker.node", Role::node);
}

[[nodiscard]] inline PlaceCode place(const std::string& digits) {
  return PlaceCode::parse(digits).value();
}
[[nodiscard]] inline Audience audience(const std::string& word) {
  return Audience::parse(word).value();
}

// Incident report of a plant fire: lane normal.
[[nodiscard]] inline Event report(const std::string& text, const std::string& agency = "police", RegionCode home = kQuzhou) {
  IncidentReport body;
  body.case_reference = "2020-1109-01";
  body.title = "氟硅厂火灾";
  body.text = text;
  Event event;
  event.envelope = {Kind::incident,
                    incident_entity(home, body.case_reference),
                    Status::Actual,
                    place("330803"),
                    agency,
                    Level::orange,
                    Audience::conference(),
                    kNoon};
  event.body = std::move(body);
  return event;
}

// CAP warning: lane flash.
[[nodiscard]] inline Event alert(const std::string& identifier, const std::string& headline = "撤离", RegionCode home = kQuzhou) {
  AlertInfo info;
  info.language = "zh-CN";
  info.categories = {Category::Fire};
  info.event = "化工火灾";
  info.headline = headline;
  Alert body;
  body.identifier = identifier;
  body.sender = "qz.yjj.gov.cn";
  body.sent = kNoon;
  body.infos = {info};
  Event event;
  event.envelope = {Kind::alert,
                    alert_entity(home, body.sender, identifier, body.sent),
                    Status::Actual,
                    PlaceCode::of(home),
                    "emergency",
                    Level::red,
                    Audience::conference(),
                    kNoon};
  event.body = std::move(body);
  return event;
}

// A rescue team: lane bulk.
[[nodiscard]] inline Event team(const std::string& name, RegionCode home = kQuzhou) {
  Resource body;
  body.name = name;
  body.capabilities = {"hazmat"};
  Event event;
  event.envelope = {Kind::resource, resource_entity(home, name), Status::Actual, PlaceCode::of(home), "fire",
                    Level::none,    Audience::conference(),      kNoon};
  event.body = std::move(body);
  return event;
}

[[nodiscard]] inline Event to(Event event, const Audience& whom) {
  event.envelope.audience = whom;
  return event;
}

// Of a region's feed for the conference.
[[nodiscard]] inline Event retention_event(const Retention& retention, RegionCode region = kQuzhou) {
  Event event;
  event.envelope = {Kind::retention,
                    retention_entity(region, retention.lane, Audience::conference()),
                    Status::Actual,
                    PlaceCode::of(region),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    kNoon};
  event.body = retention;
  return event;
}

}  // namespace lianxi::core
