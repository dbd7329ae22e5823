#include "agents/formats/resource_csv.h"

#include <cstring>
#include <set>

#include "agents/formats/resource_row.h"
#include "agents/formats/seen_ids.h"
#include "agents/formats/text.h"
#include "schemas/limits.h"

namespace lianxi::formats {
namespace {

// Where a column's texts go.
struct Target {
  std::optional<Column> column;
  std::string attribute;
};

class CsvFile : public ResourceFile {
 public:
  CsvFile(ReadBlock read, const ResourceFileContext& context) : stream_(std::move(read)), context_(context) {}

  bool next(Event& event) override {
    while (!over_) {
      const auto more = stream_.next(record_);
      if (!more) return end_with(more.error());
      if (!*more) {
        if (targets_.empty()) return end_with({RefusalCode::csv_row, "row 1", "the file has no heading row", 0});
        over_ = true;
        return false;
      }
      if (targets_.empty()) {
        if (!read_headings()) return false;
        continue;
      }
      if (++rows_ > kMaxImportRows) {
        return end_with(
            {RefusalCode::oversize, where(), "the file has more than " + std::to_string(kMaxImportRows) + " rows: part it", 0});
      }
      if (read_row(event)) return true;
      ++problems_.rows;
    }
    return false;
  }
  [[nodiscard]] Unsaid unsaid() const override { return unsaid_by(columns_); }

 private:
  bool end_with(Refusal refusal) {
    problems_.add(std::move(refusal));
    over_ = true;
    return false;
  }

  [[nodiscard]] std::string where() const {
    std::string text = "row " + std::to_string(record_.row);
    if (record_.line != record_.row) text += " (line " + std::to_string(record_.line) + ")";
    return text;
  }
  void bad(std::string_view column, std::string reason) {
    problems_.add({RefusalCode::csv_row, where() + ", column " + std::string(column), std::move(reason), 0});
  }

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
        bad(shortened(word), "the heading is not known; known are " + all_headings());
      } else if (!seen.insert(name).second) {
        bad(shortened(word), "the heading stands twice: keep one of the two columns");
      }
      targets_.push_back(std::move(target));
    }
    for (const char* needed : {"id", "type", "name"}) {
      if (!seen.contains(needed)) bad(needed, "the column is missing");
    }
    over_ = problems_.all > 0;
    return !over_;
  }

  bool read_row(Event& event) {
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
    const auto first = seen_.add(event.envelope.entity, record_.row);
    if (first) bad("id", "row " + std::to_string(*first) + " has the same id");
    return good && !first;
  }

  CsvStream stream_;
  ResourceFileContext context_;
  CsvRecord record_;
  std::vector<Target> targets_;
  Columns columns_;
  ResourceCells cells_;
  SeenIds seen_;
  BadCell bad_ = [this](std::string_view column, std::string reason) { bad(column, std::move(reason)); };
  bool over_ = false;
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
