// Messages of EDXL-RM for tests: values, and the documents of tests/data/edxl_rm.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "agents/formats/edxl_rm.h"
#include "schemas/mobilisation_rules.h"
#include "schemas/vocabulary.h"
#include "tests/support/source_tree.h"

namespace lianxi::formats {

inline BytesView bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void replace(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

inline std::vector<ResourceMessage> all_messages() {
  std::vector<ResourceMessage> all;
  for (int i = 0; i < 16; ++i) all.push_back(static_cast<ResourceMessage>(i));
  return all;
}

inline std::string sample_of(ResourceMessage message) {
  std::ifstream in(test::source_tree("tests/data/edxl_rm/") + std::string(to_word(message)) + ".xml");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline EdxlContext edxl_context() {
  return {RegionCode(330800), "emergency", Audience::conference(), PlaceCode::of(RegionCode(330800)), Status::Actual};
}

inline Event mobilisation_of(const Mobilisation& message) {
  Event event;
  event.envelope = {Kind::mobilisation,
                    mobilisation_entity(RegionCode(330800), message.originating_id),
                    Status::Actual,
                    PlaceCode::of(RegionCode(330800)),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    message.sent};
  event.body = message;
  return event;
}

inline constexpr TimeMs kSent = 1782955800000;

// What check_event asks for, and no more.
inline Mobilisation bare_message(ResourceMessage kind) {
  Mobilisation message;
  message.message = kind;
  message.message_id = "m-1";
  message.originating_id = can_begin(kind) ? "m-1" : "m-0";
  if (!can_begin(kind)) message.preceding_id = "m-0";
  message.sent = kSent;
  MobilisationItem item;
  item.id = "1";
  item.resource = "350700:resource:team-1";
  item.quantity_milli = 1000;
  if (is_response(kind)) item.response = Response::Accept;
  if (kind == ResourceMessage::ReportResourceDeploymentStatus) item.deployment = Deployment::departed;
  message.items.push_back(item);
  return message;
}

inline Mobilisation full_message(ResourceMessage kind) {
  Mobilisation message = bare_message(kind);
  message.originating_id = "m-0";
  message.preceding_id = "m-0";
  message.description = "两行\n说明";
  message.recall = Recall::Update;
  message.recalled_id = "m-0b";
  message.incident = "330800:incident:7";
  message.to = {RegionCode(350700), RegionCode(361100)};
  message.answer_by = kSent + 3'600'123;
  message.funding = {{"F-1", "市级"}, {"F-2", ""}};
  for (int role = 0; role < 6; ++role) {
    message.contacts.push_back({static_cast<ContactRole>(role), "王", "应急管理局", "0570-1"});
  }
  message.contacts.push_back({ContactRole::Sender, "", "", "1"});
  MobilisationItem& item = message.items.front();
  item.preceding = "0";
  item.reason_code = "later";
  item.reason = "晚些";
  item.type = ResourceType::equipment;
  item.name = "排涝车";
  item.capability = "pump";
  item.description = "大流量";
  item.quantity_milli = 2'005;
  item.unit = "台";
  item.restrictions = "限高";
  item.anticipated_function = "排涝";
  item.price_quote = "1 元";
  item.order_id = "O-1";
  item.instructions = "到东门";
  item.deployment = Deployment::returning;
  for (int type = 0; type < 18; ++type) {
    item.schedule.push_back({static_cast<ScheduleType>(type), kSent + type, LonLat{118.5 + type, 28.25}, "江山"});
  }
  message.items.push_back(bare_message(kind).items.front());
  message.items.back().id = "2";
  return message;
}

}  // namespace lianxi::formats
