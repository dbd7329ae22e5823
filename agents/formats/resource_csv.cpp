#include "agents/formats/resource_csv.h"

#include <cstring>
#include <set>

#include "agents/formats/row_file.h"
#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

// Where a column's texts go.
struct Target {
  std::optional<Column> column;
  std::string attribute;
};

class CsvFile : public RowFile {
 public:
  CsvFile(ReadBlock read, const ResourceFileContext& context) : RowFile("row"), stream_(std::move(read)), context_(context) {}

 private:
  bool to_row() override {
    if (targets_.empty()) {
      const auto heading = stream_.next(record_);
      if (!heading) return end_with(heading.error());
      if (!*heading) return end_with({RefusalCode::csv_row, "row 1", "the file has no heading row", 0});
      if (!read_headings()) return false;
    }
    const auto more = stream_.next(record_);
    return more ? *more : end_with(more.error());
  }

  [[nodiscard]] std::string where() const override {
    std::string text = "row " + std::to_string(record_.row);
    if (record_.line != record_.row) text += " (line " + std::to_string(record_.line) + ")";
    return text;
  }
  void bad_column(std::string_view column, std::string reason) { bad("column " + std::string(column), std::move(reason)); }

  bool read_headings() {
    std::set<std::string> seen;
    for (const std::string_view cell : record_.cells) {
      const std::string_view word = trimmed(cell);
      Target target;
      target.column = column_named(word);
      if (const auto attribute = attribute_named(word)) target.attribute = *attribute;
      columns_.add(target.column.value_or(Column::attributes));
      const std::string name = target.column ? std::string(heading_of(*target.column)) : "attr." + target.attribute;
      if (!target.column && target.attribute.empty()) {
        bad_column(shortened(word), "the heading is not known; known are " + all_headings());
      } else if (!seen.insert(name).second) {
        bad_column(shortened(word), "the heading stands twice: keep one of the two columns");
      }
      targets_.push_back(std::move(target));
    }
    for (const char* needed : {"id", "type", "name"}) {
      if (!seen.contains(needed)) bad_column(needed, "the column is missing");
    }
    return problems_.all == 0;
  }

  bool read_row(Event& event) override {
    if (record_.cells.size() != targets_.size()) {
      problems_.add({RefusalCode::csv_row, where(),
                     "it has " + std::to_string(record_.cells.size()) + " cells where the heading has " +
                         std::to_string(targets_.size()) + ": a comma inside a cell needs quotation marks",
                     0});
      return false;
    }
    cells_.clear();
    cells_.there = columns_;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const std::string_view text = trimmed(record_.cells[i]);
      if (targets_[i].column) {
        cells_.at(*targets_[i].column) = text;
      } else {
        cells_.attributes.emplace_back(targets_[i].attribute, text);
      }
    }
    const bool good = read_resource(cells_, context_, event, bad_);
    if (cells_.at(Column::id).empty()) return good;
    return is_new(event.envelope.entity, record_.row, "column id") && good;
  }

  CsvStream stream_;
  ResourceFileContext context_;
  CsvRecord record_;
  std::vector<Target> targets_;
  ResourceCells cells_;
  BadCell bad_ = [this](std::string_view column, std::string reason) { bad_column(column, std::move(reason)); };
};

}  // namespace

std::unique_ptr<ResourceFile> open_resources_csv(ReadBlock read, const ResourceFileContext& context) {
  return std::make_unique<CsvFile>(std::move(read), context);
}

LonLat to_cgcs2000(LonLat point, Datum datum) {
  return datum == Datum::gcj02 ? from_gcj02(point) : point;
}

Result<std::vector<Event>, std::vector<Refusal>> read_resources_csv(std::string_view text, const ResourceCsvContext& context) {
  std::size_t handed = 0;
  const auto file = open_resources_csv(
      [&](char* into, std::size_t size) {
        const std::size_t count = std::min(size, text.size() - handed);
        std::memcpy(into, text.data() + handed, count);
        handed += count;
        return count;
      },
      context);
  std::vector<Event> events;
  Event event;
  while (file->next(event)) events.push_back(event);
  if (file->problems().all > 0) return tl::unexpected(file->problems().first);
  return events;
}

}  // namespace lianxi::formats
