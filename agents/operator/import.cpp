#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "agents/formats/resource_csv.h"
#include "agents/operator/commands.h"
#include "agents/operator/import_file.h"
#include "agents/operator/upload.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

constexpr std::size_t kShownProblems = 20;

std::unique_ptr<formats::ResourceFile> open_rows(ImportFile& file, const ImportCommand& command,
                                                 const formats::ResourceFileContext& context) {
  return command.format == FileFormat::geojson ? formats::open_resources_geojson(file.begin(), context)
                                               : formats::open_resources_csv(file.begin(), context);
}

Exit bad_rows(const formats::RowProblems& problems, const Console& console) {
  const Say& say = console.say();
  if (console.json()) {
    Refusal first = problems.first.front();
    if (problems.all > 1) first.reason += " (and " + std::to_string(problems.all - 1) + " more)";
    return console.refused(first);
  }
  const std::size_t shown = std::min(problems.first.size(), kShownProblems);
  for (std::size_t i = 0; i < shown; ++i) {
    console.err() << "  " << printable(problems.first[i].field) << ": " << printable(problems.first[i].reason) << '\n';
  }
  if (problems.all > shown) {
    console.err() << "  " << say("and ", "另有 ") << grouped(problems.all - shown) << say(" more", " 处") << '\n';
  }
  const std::size_t rows = std::max<std::size_t>(problems.rows, 1);
  console.err() << grouped(rows) << say(" bad rows; nothing was imported", " 行有误;未导入任何数据") << std::endl;
  return Exit::refused;
}

struct Checked {
  std::uint64_t rows = 0;
  formats::Unsaid unsaid;
};

// The whole file, before anything of it leaves: all its rows are good, or the exit status with the reasons printed.
Result<Checked, Exit> check(ImportFile& file, const ImportCommand& command, const formats::ResourceFileContext& context,
                            const Console& console) {
  const Say& say = console.say();
  const auto rows = open_rows(file, command, context);
  std::uint64_t good = 0;
  {
    Progress progress(console, say("checked", "已检查"), 0);
    Event event;
    while (rows->next(event)) {
      if ((++good & 0x3FF) == 0) progress.show(rows->rows());
    }
  }
  if (file.failed())
    return tl::unexpected(console.refused({RefusalCode::malformed, "file", command.file + " cannot be read", 0}));
  if (rows->problems().all > 0) return tl::unexpected(bad_rows(rows->problems(), console));
  if (good == 0) {
    const bool csv = command.format == FileFormat::csv;
    return tl::unexpected(console.refused({RefusalCode::csv_row, csv ? "row 2" : "features",
                                           csv ? say("the file has a heading but no rows", "文件只有表头,没有数据行")
                                               : say("the collection has no features", "文件中没有要素"),
                                           0}));
  }
  return Checked{good, rows->unsaid()};
}

std::string listed(const std::vector<std::string_view>& columns) {
  std::string text;
  for (const std::string_view column : columns) text += (text.empty() ? "" : ", ") + std::string(column);
  return text;
}

// What the file says nothing of, before that is taken for granted.
void tell(const formats::Unsaid& unsaid, const Console& console) {
  if (console.json()) return;
  const Say& say = console.say();
  const std::string note = say("note: the file says nothing of ", "提示:文件未含 ");
  if (!unsaid.kept.empty())
    console.err() << note << listed(unsaid.kept) << say(": known resources keep theirs", ":已有资源保留原值") << '\n';
  if (!unsaid.emptied.empty())
    console.err() << note << listed(unsaid.emptied)
                  << say(": that will be empty, of known resources, too", ":将为空,已有资源的原值也会清除") << '\n';
}

Exit checked(const Checked& checked, const Console& console) {
  if (console.json()) {
    const nlohmann::ordered_json json = {
        {"checked", checked.rows}, {"kept", checked.unsaid.kept}, {"emptied", checked.unsaid.emptied}};
    console.out() << json.dump() << '\n';
  } else {
    console.out() << grouped(checked.rows) << console.say()(" rows are right; nothing was published", " 行全部正确;未发布")
                  << '\n';
  }
  return Exit::done;
}

// Contact and phone taken out of a record, as an event for an audience of their own; nothing if it has neither.
std::optional<Event> take_contact(Event& event, const Audience& audience) {
  Resource& resource = std::get<Resource>(event.body);
  if (resource.contact.empty() && resource.phone.empty()) return std::nullopt;
  Event contact{event.envelope, Resource{}};
  contact.envelope.audience = audience;
  Resource& stated = std::get<Resource>(contact.body);
  stated.change = ResourceChange::contact;
  stated.type = resource.type;
  stated.contact = std::exchange(resource.contact, {});
  stated.phone = std::exchange(resource.phone, {});
  return contact;
}

Exit summary(const Upload::Counts& counts, std::uint64_t rows, double seconds, const Console& console) {
  const Say& say = console.say();
  const std::uint64_t events = counts.accepted + counts.refused;  // rows, and contacts of their own
  const std::uint64_t imported = counts.refused == 0 ? rows : counts.accepted;
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(imported) / std::max(seconds, 0.001));
  if (console.json()) {
    if (!counts.first.empty()) {
      Refusal first = counts.first.front().refusal;
      first.reason += " (" + std::to_string(counts.refused) + " of " + std::to_string(events) + " refused)";
      return console.refused(first);
    }
    console.out() << "{\"imported\":" << imported << ",\"offset\":" << counts.last.value << ",\"rows_per_s\":" << rate << "}\n";
    return Exit::done;
  }
  for (const Upload::Refused& each : counts.first) {
    console.err() << "  " << printable(each.entity) << ": " << refusal_word(each.refusal.code, say) << ": "
                  << printable(each.refusal.reason) << '\n';
  }
  if (counts.refused > counts.first.size()) {
    console.err() << "  " << say("and ", "另有 ") << grouped(counts.refused - counts.first.size()) << say(" more", " 条") << '\n';
  }
  console.out() << say("imported ", "已导入 ") << imported << "/" << (counts.refused == 0 ? rows : events) << say(" (", "(")
                << grouped(rate) << say(" rows/s)", " 行/秒)") << '\n';
  return counts.refused > 0 ? Exit::refused : Exit::done;
}

Exit publish(ImportFile& file, const ImportCommand& command, const formats::ResourceFileContext& context, std::uint64_t rows,
             const Common& common, const Console& console, sdk::Client& client) {
  const Say& say = console.say();
  Upload::Counts counts;
  double seconds = 0;
  {
    Progress progress(console, say("imported", "已导入"), command.contact_audience ? 0 : rows);
    Upload upload(client, common, console, progress);
    const auto source = open_rows(file, command, context);
    Event event;
    std::uint64_t sent = 0;
    for (; source->next(event); ++sent) {
      const auto contact = command.contact_audience ? take_contact(event, *command.contact_audience) : std::nullopt;
      if (const auto failed = upload.send(event)) return *failed;
      if (!contact) continue;
      if (const auto failed = upload.send(*contact)) return *failed;
    }
    if (const auto failed = upload.finish()) return *failed;
    counts = upload.counts();
    seconds = progress.seconds();
    if (sent != rows || source->problems().all > 0) {
      return console.refused({RefusalCode::conflict, "file",
                              say("the file changed while it was read; import it again", "文件在读取过程中被改动;请重新导入"),
                              0});
    }
  }
  return summary(counts, rows, seconds, console);
}

}  // namespace

Exit run_import(const Common& common, const ImportCommand& command, const Console& console) {
  const auto profile = sdk::load_profile(common.profile);
  if (!profile) return console.refused(profile.error());
  formats::ResourceFileContext context;
  context.region = profile->region;
  context.agency = command.agency.empty() ? std::string(profile->agent.agency()) : command.agency;
  context.audience = command.audience;
  context.default_datum = command.datum;
  context.status = command.status;
  context.now = wall_ms();
  formats::CapabilityWords words;
  if (!command.capabilities.empty()) {
    auto read = formats::CapabilityWords::load(command.capabilities);
    if (!read) return console.refused(read.error());
    words = std::move(*read);
    context.words = &words;
  }
  auto file = ImportFile::open(command.file);
  if (!file) return console.refused(file.error());
  const auto good = check(*file, command, context, console);
  if (!good) return good.error();
  tell(good->unsaid, console);
  if (command.dry_run) return checked(*good, console);
  // Much may be on its way at once; what waits in memory is bounded by Upload.
  sdk::ClientOptions options;
  options.max_in_flight = 8 * 1024;
  sdk::Profile opened;
  auto client = open_client(common, opened, std::move(options));
  if (!client) return console.refused(client.error());
  return publish(*file, command, context, good->rows, common, console, **client);
}

}  // namespace lianxi::cli
