#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agents/formats/edxl_rm.h"
#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/mobilise_thread.h"
#include "agents/operator/out_file.h"
#include "agents/operator/send.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {
namespace {

class MobilisationImport {
 public:
  MobilisationImport(const Common& common, const ImportMobilisationCommand& command, const Console& console)
      : common_(common), command_(command), console_(console), say_(console.say()) {}

  Exit run() {
    const auto profile = sdk::load_profile(common_.profile);
    if (!profile) return console_.refused(profile.error());
    if (const auto read = read_document(*profile); !read) return console_.refused(read.error());
    const auto event = event_at(profile->region, *profile);
    if (!event) return console_.refused(event.error());
    if (command_.dry_run) return checked(*event);
    sdk::Profile opened;
    auto client = open_client(common_, opened);
    if (!client) return console_.refused(client.error());
    const auto home = home_of_thread(**client, *profile);
    if (!home) return home.error();
    const auto placed = event_at(*home, *profile);
    return placed ? publish(**client, *placed) : console_.refused(placed.error());
  }

 private:
  [[nodiscard]] const Mobilisation& message() const { return document_.mobilisation; }
  [[nodiscard]] std::string_view word() const { return to_word(message().message); }

  Result<void> read_document(const sdk::Profile& profile) {
    const auto text = read_input(command_.file, kMaxMobilisationXmlBytes);
    if (!text) return tl::unexpected(text.error());
    auto document = formats::read_edxl_rm({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()});
    if (!document) return tl::unexpected(document.error());
    document_ = std::move(*document);
    for (const std::string& warning : document_.warnings) {
      console_.err() << say_("note: ", "提示:") << printable(warning) << '\n';
    }
    if (command_.status) document_.status = *command_.status;
    if (!document_.by || *document_.by == profile.region) return {};
    return refuse(
        RefusalCode::wrong_region, std::string(word()),
        to_text(*document_.by) + say_(" said this message, and it alone may say it again; its node is where to import it",
                                      " 发出了此报文,只有该地区可再次发出;请在其节点导入"));
  }

  // `home`: of the thread, where the document does not say it.
  [[nodiscard]] Result<Event> event_at(RegionCode home, const sdk::Profile& profile) const {
    const std::string agency = command_.agency.empty() ? std::string(profile.agent.agency()) : command_.agency;
    const PlaceCode place = command_.place.value_or(PlaceCode::of(profile.region));
    return formats::mobilisation_event(document_, {home, agency, command_.audience, place, Status::Actual});
  }

  // An answer from another program does not say where its thread began: the node knows the open ones.
  Result<RegionCode, Exit> home_of_thread(sdk::Client& client, const sdk::Profile& profile) {
    if (document_.home || message().message_id == message().originating_id) return profile.region;
    AskMobilisations ask_open;
    ask_open.open = ask_open.drills = true;
    ask_open.limit = kMaxQueryLimit;
    const auto rows = ask<MobilisationRows>(client, common_, console_, ask_open);
    if (!rows) return tl::unexpected(rows.error());
    std::optional<RegionCode> home;
    for (const MobilisationRow& row : rows->rows) {
      if (row.id != mobilisation_entity(row.region, message().originating_id) || row.region == home) continue;
      if (home)
        return tl::unexpected(
            console_.refused({RefusalCode::conflict, std::string(word()) + "/OriginatingMessageID",
                              message().originating_id + say_(" is open in several regions: ", " 在多个地区进行中:") +
                                  to_text(*home) + ", " + to_text(row.region) +
                                  say_("; write <?lianxi-message home=\"330800\"?> into the document",
                                       ";请在文件中写明 <?lianxi-message home=\"330800\"?>"),
                              0}));
      home = row.region;
    }
    return home.value_or(profile.region);
  }

  Exit checked(const Event& event) {
    if (console_.json()) {
      const nlohmann::ordered_json checked = {{"checked", 1}, {"message", word()}, {"entity", event.envelope.entity}};
      console_.out() << checked.dump() << '\n';
    } else {
      console_.out() << word() << say_(" is right; nothing was published", " 正确;未发布") << '\n';
    }
    return Exit::done;
  }

  Exit publish(sdk::Client& client, const Event& event) {
    std::vector<std::future<sdk::Outcome>> outcomes;
    outcomes.push_back(client.publish(event));
    if (const auto failed = await_all(outcomes, common_, console_, client, false)) return *failed;
    const sdk::Outcome outcome = outcomes.front().get();
    if (!outcome) {
      Refusal refusal = outcome.error();
      refusal.field = formats::edxl_field(refusal.field, document_);
      return console_.refused(refusal);
    }
    if (console_.json()) {
      console_.out() << receipt_json(event, *outcome) << '\n';
      return Exit::done;
    }
    const std::string mark = drill_mark(event.envelope.status, say_);
    console_.out() << styled(mark, Style::loud, console_.colour()) << (mark.empty() ? "" : " ") << word()
                   << say_(" on disk at ", " 已存盘于 ") << to_text(outcome->feed.region) << ": "
                   << printable(event.envelope.entity) << '\n';
    return Exit::done;
  }

  const Common& common_;
  const ImportMobilisationCommand& command_;
  const Console& console_;
  const Say& say_;
  formats::MobilisationDocument document_;
};

// One message of a thread, as its document is written.
struct Said {
  Event event;
  RegionCode by;
};

std::string file_name(std::size_t number, const Mobilisation& message) {
  std::string name = fmt::format("{:04}-{}-", number, to_word(message.message));
  for (const char c : message.message_id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  return name.substr(0, 120) + ".xml";
}

Exit write_one(const Said& said, const std::string& path, const Console& console) {
  OutFile out(path, console);
  out.write(formats::write_edxl_rm(said.event, said.by));
  if (const auto finished = out.finish(); !finished) return console.refused(finished.error());
  return Exit::done;
}

Exit write_all(const std::vector<Said>& thread, const std::string& folder, const Console& console) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  for (std::size_t i = 0; i < thread.size(); ++i) {
    const std::string name = file_name(i + 1, std::get<Mobilisation>(thread[i].event.body));
    if (const Exit exit = write_one(thread[i], (std::filesystem::path(folder) / name).string(), console); exit != Exit::done)
      return exit;
    if (!console.json()) console.out() << name << '\n';
  }
  if (console.json()) console.out() << "{\"exported\":" << thread.size() << "}\n";
  return Exit::done;
}

std::vector<Said> said_in(const MobilisationRow& row, const std::string& message_id) {
  std::vector<Said> thread;
  for (const ThreadMessageRow& message : row.messages) {
    if (!message_id.empty() && message.message.message_id != message_id) continue;
    const auto publisher = AgentId::parse(message.publisher);
    const std::string agency = publisher ? std::string(publisher->agency()) : row.agency;
    const Envelope envelope{Kind::mobilisation, row.id,       row.status,         row.place, agency,
                            row.level,          row.audience, message.received_at};
    thread.push_back({{envelope, message.message}, message.region});
  }
  return thread;
}

}  // namespace

Exit run_import_mobilisation(const Common& common, const ImportMobilisationCommand& command, const Console& console) {
  return MobilisationImport(common, command, console).run();
}

Exit run_export_mobilisation(const Common& common, const ExportMobilisationCommand& command, const Console& console) {
  const Say& say = console.say();
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const auto row = find_thread(**client, common, console, command.thread, Status::Actual);
  if (!row) return row.error();
  const std::vector<Said> thread = said_in(*row, command.message);
  if (thread.empty()) {
    return console.refused({RefusalCode::not_found, command.message.empty() ? "THREAD" : "--message",
                            say("the node has no such message that you may see", "节点没有您可见的此报文"), 0});
  }
  if (command.message.empty()) return write_all(thread, command.out, console);
  return write_one(thread.back(), command.out.empty() ? "-" : command.out, console);
}

}  // namespace lianxi::cli
