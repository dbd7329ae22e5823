#include <ostream>

#include "agents/formats/resource_write.h"
#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/out_file.h"
#include "agents/operator/progress.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

Resource record_of(const ResourceRow& row) {
  Resource resource;
  resource.type = row.type;
  resource.name = row.name;
  resource.owner = row.owner;
  resource.address = row.address;
  resource.location = row.location;
  resource.capabilities = row.capabilities;
  resource.state = row.state;
  resource.quantity_milli = row.quantity_milli;
  resource.unit = row.unit;
  resource.capacity = row.capacity;
  resource.occupancy = row.occupancy;
  resource.supply_code = row.supply_code;
  resource.contact = row.contact;
  resource.phone = row.phone;
  resource.attributes = row.attributes;
  resource.answerable = row.answerable;
  resource.answerable_phone = row.answerable_phone;
  resource.valid_from = row.valid_from;
  resource.valid_until = row.valid_until;
  resource.area = row.area;
  resource.languages = row.languages;
  resource.on_call = row.on_call;
  return resource;
}

// Pages of rows, each from the answer before.
class Pages {
 public:
  Pages(sdk::Client& client, const Common& common, const Console& console, AskResources ask)
      : client_(client), common_(common), console_(console), ask_(std::move(ask)) {
    ask_.limit = kMaxQueryLimit;
  }

  // The next page, empty behind the last. Else the exit status, with the reason printed.
  Result<ResourceRows, Exit> next() {
    if (over_) return ResourceRows{};
    auto rows = ask<ResourceRows>(client_, common_, console_, ask_);
    if (!rows) return rows;
    if (rows->truncated && rows->next.empty()) {
      return tl::unexpected(console_.refused({RefusalCode::internal, "answer", "the node does not page its resources", 0}));
    }
    over_ = rows->next.empty();
    ask_.after = rows->next;
    return rows;
  }
  [[nodiscard]] bool over() const { return over_; }

 private:
  sdk::Client& client_;
  const Common& common_;
  const Console& console_;
  AskResources ask_;
  bool over_ = false;
};

class RowWriter {
 public:
  RowWriter(FileFormat format, RegionCode own) : json_(format == FileFormat::geojson), prefix_(resource_entity(own, "")) {}

  [[nodiscard]] std::string head() const { return json_ ? std::string(formats::kGeoJsonHead) : formats::resource_csv_heading(); }
  [[nodiscard]] std::string_view tail() const { return json_ ? formats::kGeoJsonTail : std::string_view{}; }
  void append(std::string& out, const ResourceRow& row) {
    std::string_view id = row.id;
    // Its local name is enough at home, where it can be imported again.
    if (id.starts_with(prefix_) && id.find(':', prefix_.size()) == std::string_view::npos) id.remove_prefix(prefix_.size());
    if (json_) {
      if (any_) out += formats::kGeoJsonBetween;
      formats::append_resource_geojson(out, {id, row.place}, record_of(row));
    } else {
      formats::append_resource_csv(out, {id, row.place}, record_of(row));
    }
    any_ = true;
  }

 private:
  bool json_;
  std::string prefix_;
  bool any_ = false;
};

}  // namespace

Exit run_export(const Common& common, const ExportCommand& command, const Console& console) {
  const Say& say = console.say();
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  OutFile out(command.out, console);
  RowWriter writer(command.format, profile.region);
  Pages pages(**client, common, console, command.ask);
  std::uint64_t written = 0;
  std::string text = writer.head();
  Progress progress(console, say("exported", "已导出"), 0);
  while (!pages.over()) {
    const auto page = pages.next();
    if (!page) return page.error();
    for (const ResourceRow& row : page->rows) {
      if (row.status != Status::Actual || (command.own && row.region != profile.region)) continue;
      writer.append(text, row);
      ++written;
    }
    out.write(text);
    text.clear();
    progress.show(written);
  }
  out.write(writer.tail());
  if (const auto finished = out.finish(); !finished) return console.refused(finished.error());
  if (command.out == "-") return Exit::done;
  if (console.json()) {
    console.out() << "{\"exported\":" << written << "}\n";
  } else {
    console.out() << say("exported ", "已导出 ") << grouped(written) << say(" resources to ", " 条资源至 ")
                  << printable(command.out) << '\n';
  }
  return Exit::done;
}

}  // namespace lianxi::cli
