#include "tests/integration/raw_client.h"

#include <gtest/gtest.h>

#include "schemas/codec/event_codec.h"

namespace lianxi::test {

RawClient::RawClient(const City& city, const std::string& endpoint, const Keys& keys, zmq::socket_type type)
    : socket_(context_, type) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::reconnect_ivl, 50);
  socket_.set(zmq::sockopt::curve_serverkey, city.keys.public_key);
  socket_.set(zmq::sockopt::curve_publickey, keys.public_key);
  socket_.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  socket_.connect(city.endpoint(endpoint));
}

void RawClient::send(const Message& message) {
  const Frames frames = encode(message);
  socket_.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
  socket_.send(zmq::buffer(frames.payload), zmq::send_flags::none);
}

void RawClient::send_parts(const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    socket_.send(zmq::buffer(parts[i]), i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

std::vector<std::string> RawClient::receive_parts(std::chrono::milliseconds patience) {
  std::vector<std::string> parts;
  zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq::poll(&item, 1, patience) == 0) return parts;
  zmq::message_t part;
  do {
    if (!socket_.recv(part)) break;
    parts.push_back(part.to_string());
  } while (part.more());
  return parts;
}

std::optional<Message> RawClient::receive(std::chrono::milliseconds patience) {
  const auto parts = receive_parts(patience);
  if (parts.size() != 2) return std::nullopt;
  const auto bytes = [](const std::string& text) {
    return BytesView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  auto message = decode(bytes(parts[0]), bytes(parts[1]));
  EXPECT_TRUE(message) << message.error().field << ": " << message.error().reason;
  if (!message) return std::nullopt;
  return std::move(*message);
}

namespace {
Bytes report_event(const std::string& region, const std::string& agency, std::uint64_t number, const std::string& audience,
                   std::string text) {
  const RegionCode home = *parse_region(region);
  Event event;
  event.envelope.kind = Kind::incident;
  IncidentReport report;
  report.case_reference = "case-" + std::to_string(number);
  report.incident_class = IncidentClass::accident;
  report.title = "事故 " + std::to_string(number);
  report.text = std::move(text);
  event.envelope.entity = incident_entity(home, report.case_reference);
  event.envelope.place = PlaceCode::of(home);
  event.envelope.agency = agency;
  event.envelope.audience = *Audience::parse(audience);
  event.envelope.occurred_at = 1'604'880'000'000 + static_cast<TimeMs>(number);
  event.body = std::move(report);
  return encode_event(event);
}

}  // namespace

Bytes incident_event(const std::string& region, const std::string& agency, std::uint64_t number, const std::string& audience) {
  return report_event(region, agency, number, audience, "text");
}

Bytes large_incident_event(const std::string& region, const std::string& agency, std::uint64_t number, std::size_t text_bytes) {
  return report_event(region, agency, number, "conference", std::string(text_bytes, 'x'));
}

Bytes alert_event(const std::string& region, std::uint64_t number, const std::string& headline) {
  const RegionCode home = *parse_region(region);
  Alert alert;
  alert.identifier = "warning-" + std::to_string(number);
  alert.sender = "desk@" + region;
  alert.sent = 1'604'880'000'000;
  AlertInfo info;
  info.categories = {Category::Fire};
  info.event = "火灾";
  info.urgency = Urgency::Immediate;
  info.severity = Severity::Severe;
  info.certainty = Certainty::Observed;
  info.headline = headline;
  AlertArea area;
  area.description = "衢江区";
  info.areas = {area};
  alert.infos = {info};
  Event event;
  event.envelope.kind = Kind::alert;
  event.envelope.entity = alert_entity(home, alert.sender, alert.identifier, alert.sent);
  event.envelope.place = PlaceCode::of(home);
  event.envelope.agency = "emergency";
  event.envelope.level = Level::orange;
  event.envelope.audience = Audience::conference();
  event.envelope.occurred_at = alert.sent;
  event.body = std::move(alert);
  return encode_event(event);
}

Publisher::Publisher(const City& city, const std::string& agency, SessionId session, const std::string& endpoint)
    : city_(city), agency_(agency), endpoint_(endpoint), session_(session) {}

std::optional<Welcome> Publisher::connect(std::chrono::milliseconds patience) {
  client_ = std::make_unique<RawClient>(city_, endpoint_, city_.agents.at(agency_));
  Hello hello;
  hello.session = session_;
  hello.software = "integration test";
  client_->send(hello);
  return client_->receive_a<Welcome>(patience);
}

void Publisher::publish(Lane lane, Sequence first, std::vector<Bytes> events, Sequence answered_through) {
  Publish publish;
  publish.session = session_;
  publish.lane = lane;
  publish.first_sequence = first;
  publish.answered_through = answered_through;
  publish.events = std::move(events);
  client_->send(publish);
}

std::optional<Answers> Publisher::answers(std::chrono::milliseconds patience) {
  return client_->receive_a<Answers>(patience);
}

std::optional<StatusReport> status_of(const City& city, Offset after, std::chrono::milliseconds patience) {
  RawClient client(city, "query", city.agents.at("emergency"));
  Query query;
  query.request = 7;
  query.after_offset = after;
  query.ask = AskStatus{};
  client.send(query);
  const auto answer = client.receive_a<Answer>(patience);
  if (!answer) return std::nullopt;
  if (const auto* status = std::get_if<StatusReport>(&answer->rows)) return *status;
  return std::nullopt;
}

}  // namespace lianxi::test
