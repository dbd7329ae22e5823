#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agents/formats/edxl_rm.h"
#include "agents/operator/commands.h"
#include "agents/operator/mobilise_thread.h"
#include "agents/operator/out_file.h"
#include "agents/operator/send.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {
namespace {

Result<Event> read_message(const ImportMobilisationCommand& command, const sdk::Profile& profile, const Console& console) {
  const auto text = read_input(command.file, kMaxMobilisationXmlBytes);
  if (!text) return tl::unexpected(text.error());
  auto document = formats::read_edxl_rm({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()});
  if (!document) return tl::unexpected(document.error());
  for (const std::string& warning : document->warnings) {
    console.err() << console.say()("note: ", "提示:") << printable(warning) << '\n';
  }
  if (command.status) document->status = *command.status;
  const std::string agency = command.agency.empty() ? std::string(profile.agent.agency()) : command.agency;
  return formats::mobilisation_event(*document, {profile.region, agency, command.audience,
                                                 command.place.value_or(PlaceCode::of(profile.region)), Status::Actual});
}

std::string file_name(std::size_t number, const Mobilisation& message) {
  std::string name = std::to_string(1'000 + number).substr(1) + "-" + std::string(to_word(message.message)) + "-";
  for (const char c : message.message_id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  return name.substr(0, 120) + ".xml";
}

Exit write_one(const Event& event, const std::string& path, const Console& console) {
  OutFile out(path, console);
  out.write(formats::write_edxl_rm(event));
  if (const auto finished = out.finish(); !finished) return console.refused(finished.error());
  return Exit::done;
}

Exit write_all(const std::vector<Event>& thread, const std::string& folder, const Console& console) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  for (std::size_t i = 0; i < thread.size(); ++i) {
    const std::string name = file_name(i + 1, std::get<Mobilisation>(thread[i].body));
    if (const Exit exit = write_one(thread[i], (std::filesystem::path(folder) / name).string(), console); exit != Exit::done)
      return exit;
    if (!console.json()) console.out() << name << '\n';
  }
  if (console.json()) console.out() << "{\"exported\":" << thread.size() << "}\n";
  return Exit::done;
}

}  // namespace

Exit run_import_mobilisation(const Common& common, const ImportMobilisationCommand& command, const Console& console) {
  const Say& say = console.say();
  const auto profile = sdk::load_profile(common.profile);
  if (!profile) return console.refused(profile.error());
  const auto event = read_message(command, *profile, console);
  if (!event) return console.refused(event.error());
  const std::string message(to_word(std::get<Mobilisation>(event->body).message));
  if (command.dry_run) {
    if (console.json()) {
      const nlohmann::ordered_json checked = {{"checked", 1}, {"message", message}, {"entity", event->envelope.entity}};
      console.out() << checked.dump() << '\n';
    } else {
      console.out() << message << say(" is right; nothing was published", " 正确;未发布") << '\n';
    }
    return Exit::done;
  }
  sdk::Profile opened;
  auto client = open_client(common, opened);
  if (!client) return console.refused(client.error());
  std::vector<std::future<sdk::Outcome>> outcomes;
  outcomes.push_back((*client)->publish(*event));
  if (const auto failed = await_all(outcomes, common, console, **client, false)) return *failed;
  const sdk::Outcome outcome = outcomes.front().get();
  if (!outcome) return console.refused(outcome.error());
  if (console.json()) {
    console.out() << receipt_json(*event, *outcome) << '\n';
    return Exit::done;
  }
  const std::string mark = drill_mark(event->envelope.status, say);
  console.out() << styled(mark, Style::loud, console.colour()) << (mark.empty() ? "" : " ") << message
                << say(" on disk at ", " 已存盘于 ") << to_text(outcome->feed.region) << ": " << printable(event->envelope.entity)
                << '\n';
  return Exit::done;
}

Exit run_export_mobilisation(const Common& common, const ExportMobilisationCommand& command, const Console& console) {
  const Say& say = console.say();
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const auto row = find_thread(**client, common, console, command.entity, Status::Actual);
  if (!row) return row.error();
  std::vector<Event> thread;
  for (const ThreadMessageRow& message : row->messages) {
    if (!command.message.empty() && message.message.message_id != command.message) continue;
    const auto publisher = AgentId::parse(message.publisher);
    const std::string agency = publisher ? std::string(publisher->agency()) : row->agency;
    const Envelope envelope{Kind::mobilisation, row->id,       row->status,        row->place, agency,
                            row->level,         row->audience, message.received_at};
    thread.push_back({envelope, message.message});
  }
  if (thread.empty()) {
    return console.refused({RefusalCode::not_found, command.message.empty() ? "ENTITY" : "--message",
                            say("the node has no such message that you may see", "节点没有您可见的此报文"), 0});
  }
  if (command.message.empty()) return write_all(thread, command.out, console);
  return write_one(thread.back(), command.out.empty() ? "-" : command.out, console);
}

}  // namespace lianxi::cli
