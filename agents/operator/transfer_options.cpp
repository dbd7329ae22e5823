#include "agents/operator/transfer_options.h"

#include <CLI/CLI.hpp>

#include "agents/operator/arguments.h"
#include "agents/operator/console.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {

struct TransferOptions::Texts {
  std::string file, audience = "conference", contact_audience, agency, datum, status, format, capabilities, place, capability,
                    out, valid_at, thread, message;
  std::vector<std::string> kinds;
  bool dry_run = false, own = false, all = false;
};

namespace {

// A refusal of a value with the option in front.
template <class T>
Result<T> of_option(Result<T> value, const char* option) {
  if (!value) value.error().field = option;
  return value;
}

FileFormat format_of(const std::string& format, const std::string& file) {
  const auto ends = [&](std::string_view end) { return std::string_view(file).ends_with(end); };
  if (format.empty()) return ends(".geojson") || ends(".json") ? FileFormat::geojson : FileFormat::csv;
  return format == "geojson" ? FileFormat::geojson : FileFormat::csv;
}

}  // namespace

TransferOptions::TransferOptions(CLI::App& app, const Say& say) : texts_(std::make_unique<Texts>()) {
  add_import(app, say);
  add_export(app, say);
}

TransferOptions::~TransferOptions() = default;

void TransferOptions::add_import(CLI::App& app, const Say& say) {
  Texts& t = *texts_;
  CLI::App* import = app.add_subcommand("import", say("publish what a file holds", "发布文件中的内容"));
  import->require_subcommand(1);
  import_ = import->add_subcommand(
      "resources",
      say("resources from a CSV or GeoJSON: every row is right, or none is published; an id that is known is brought up to date: "
          "where no column says its state, quantity, place or contact they stay as they are, all else that has none becomes "
          "empty",
          "从 CSV 或 GeoJSON "
          "导入资源:所有行都正确才发布,否则一行也不发布;编号已有的更新:未含状态、数量、地点或联系方式的列则保留原值,"
          "其余未含的字段清空"));
  import_mobilisation_ =
      import->add_subcommand("mobilisation", say("a message of EDXL-RM 1.0, as XML", "EDXL-RM 1.0 资源调度报文(XML)"));
  import_
      ->add_option(
          "FILE", t.file,
          say("CSV or GeoJSON file, or - for standard input (up to 64 MiB)", "CSV 或 GeoJSON 文件,- 为标准输入(不超过 64 MiB)"))
      ->required();
  import_mobilisation_->add_option("FILE", t.file, say("XML file, or - for standard input", "XML 文件,- 为标准输入"))->required();
  import_->add_option("--format", t.format, say("csv or geojson; else by the file's name", "csv 或 geojson;缺省按文件名"))
      ->check(CLI::IsMember({"csv", "geojson"}));
  import_
      ->add_option("--datum", t.datum,
                   say("CGCS2000, WGS84 or GCJ02 for what does not say; a GeoJSON is WGS84 otherwise",
                       "未写明坐标系时采用:CGCS2000、WGS84 或 GCJ02;GeoJSON 缺省为 WGS84"))
      ->check(CLI::IsMember({"CGCS2000", "WGS84", "GCJ02"}, CLI::ignore_case));
  import_
      ->add_option("--capabilities", t.capabilities,
                   say("a capabilities.toml: capabilities may then be written by their Chinese or English names",
                       "capabilities.toml 文件:能力可写中文名、英文名或同义词"))
      ->type_name("FILE");
  import_->add_option("--contact-audience", t.contact_audience,
                      say("who may see contact and phone, where that is narrower: published as events of their own",
                          "联系人与电话的受众(较窄时):另行发布"));
  for (CLI::App* sub : {import_, import_mobilisation_}) {
    sub->add_option("--audience", t.audience, say("local, conference or a group", "受众:local、conference 或组名"))
        ->capture_default_str();
    sub->add_option("--status", t.status, say("Actual (else), Exercise, Test, ...", "状态:Actual(缺省)、Exercise、Test 等"));
    sub->add_option("--agency", t.agency, say("speak for this agency", "代表的部门"));
    sub->add_flag("--dry-run", t.dry_run, say("check the file and publish nothing", "只检查文件,不发布"));
  }
  import_mobilisation_->add_option("--place", t.place, say("place code; else the region", "行政区划代码;缺省为本地区"));
}

void TransferOptions::add_export(CLI::App& app, const Say& say) {
  Texts& t = *texts_;
  CLI::App* out = app.add_subcommand("export", say("write what the node knows into a file", "将节点所知写入文件"));
  out->require_subcommand(1);
  export_ = out->add_subcommand("resources",
                                say("resources as CSV or GeoJSON, as import reads them", "资源导出为 CSV 或 GeoJSON,可再导入"));
  export_mobilisation_ = out->add_subcommand("mobilisation", say("a thread of messages, or one of them, as EDXL-RM 1.0 XML",
                                                                 "一次调度的全部报文或其中一份,EDXL-RM 1.0 XML"));
  export_->add_option("--format", t.format, say("csv or geojson; else by the file's name", "csv 或 geojson;缺省按文件名"))
      ->check(CLI::IsMember({"csv", "geojson"}));
  export_
      ->add_option("--kind", t.kinds,
                   say("team expert supply equipment shelter site", "类别:team expert supply equipment shelter site"))
      ->delimiter(',');
  export_->add_option("--capability", t.capability, say("as in hazmat", "能力,如 hazmat"));
  export_->add_option("--place", t.place, say("place code, with all below", "行政区划代码,含下级"));
  export_->add_flag("--own", t.own,
                    say("only what this region is home of: what it may import again", "只含本地区所属资源(可再导入)"));
  CLI::Option* valid_at =
      export_->add_option("--valid-at", t.valid_at,
                          say("what is valid then, by its valid_from and valid_until: 2h, or a time; else now",
                              "该时刻有效的资源:2h 或时刻;缺省为现在"));
  export_->add_flag("--all", t.all, say("all, valid or not", "全部,不论是否在有效期内"))->excludes(valid_at);
  export_->add_option("--out", t.out, say("file; else standard output", "文件;缺省为标准输出"))->type_name("FILE");
  export_mobilisation_
      ->add_option(
          "THREAD", t.thread,
          say("its id, or the end of it that no other has, as mobilise list shows it", "编号或其唯一的末尾部分,见 mobilise list"))
      ->required();
  export_mobilisation_->add_option("--message", t.message, say("the id of one message; else all", "某一报文的标识;缺省为全部"));
  export_mobilisation_
      ->add_option("--out", t.out,
                   say("a folder for all messages, a file for one; one may go to standard output",
                       "全部报文存入的目录,或单份报文的文件;单份可输出到标准输出"))
      ->type_name("PATH");
}

Result<Command> TransferOptions::import_command() const {
  const Texts& t = *texts_;
  ImportCommand command;
  command.file = t.file;
  command.format = format_of(t.format, t.file);
  command.agency = t.agency;
  command.capabilities = t.capabilities;
  command.dry_run = t.dry_run;
  auto audience = of_option(Audience::parse(t.audience), "--audience");
  if (!audience) return tl::unexpected(audience.error());
  command.audience = *audience;
  if (!t.contact_audience.empty()) {
    auto narrower = of_option(Audience::parse(t.contact_audience), "--contact-audience");
    if (!narrower) return tl::unexpected(narrower.error());
    command.contact_audience = *narrower;
  }
  if (!t.status.empty()) {
    const auto status = of_option(parse_word<Status>(t.status), "--status");
    if (!status) return tl::unexpected(status.error());
    command.status = *status;
  }
  if (!t.datum.empty()) {
    const auto datum = of_option(formats::parse_datum(t.datum), "--datum");
    if (!datum) return tl::unexpected(datum.error());
    command.datum = *datum;
  }
  return command;
}

Result<Command> TransferOptions::import_mobilisation_command() const {
  const Texts& t = *texts_;
  ImportMobilisationCommand command;
  command.file = t.file;
  command.agency = t.agency;
  command.dry_run = t.dry_run;
  auto audience = of_option(Audience::parse(t.audience), "--audience");
  if (!audience) return tl::unexpected(audience.error());
  command.audience = *audience;
  if (!t.status.empty()) {
    const auto status = of_option(parse_word<Status>(t.status), "--status");
    if (!status) return tl::unexpected(status.error());
    command.status = *status;
  }
  if (!t.place.empty()) {
    const auto place = of_option(PlaceCode::parse(t.place), "--place");
    if (!place) return tl::unexpected(place.error());
    command.place = *place;
  }
  return command;
}

Result<Command> TransferOptions::export_command(const Say& say) const {
  const Texts& t = *texts_;
  ExportCommand command;
  command.format = format_of(t.format, t.out);
  command.out = t.out.empty() ? "-" : t.out;
  command.own = t.own;
  command.ask.any_time = t.all;
  if (!t.valid_at.empty()) {
    const auto when = of_option(parse_when(t.valid_at, say), "--valid-at");
    if (!when) return tl::unexpected(when.error());
    command.ask.valid_at = when->moment(wall_ms());
  }
  command.ask.capability = t.capability;
  for (const std::string& kind : t.kinds) {
    const auto type = of_option(parse_word<ResourceType>(kind), "--kind");
    if (!type) return tl::unexpected(type.error());
    command.ask.types.push_back(*type);
  }
  if (!t.place.empty()) {
    const auto place = of_option(PlaceCode::parse(t.place), "--place");
    if (!place) return tl::unexpected(place.error());
    command.ask.place = *place;
  }
  return command;
}

std::optional<Result<Command>> TransferOptions::command(const Say& say) const {
  const Texts& t = *texts_;
  if (import_->parsed()) return import_command();
  if (import_mobilisation_->parsed()) return import_mobilisation_command();
  if (export_->parsed()) return export_command(say);
  if (!export_mobilisation_->parsed()) return std::nullopt;
  if (t.message.empty() && t.out.empty())
    return Result<Command>(refuse(RefusalCode::missing_field, "--out",
                                  say("name a folder for the messages of the thread, or one message with --message",
                                      "请指定存放全部报文的目录,或用 --message 指定一份报文")));
  return Result<Command>(ExportMobilisationCommand{t.thread, t.message, t.out});
}

}  // namespace lianxi::cli
