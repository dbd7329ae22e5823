#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/hints.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

std::string capabilities_text(const ResourceRow& row) {
  std::string text;
  for (const std::string& capability : row.capabilities) text += (text.empty() ? "" : " ") + capability;
  return text.empty() ? "-" : text;
}

// What is free of how much where mobilisations hold some, persons of a shelter, else the quantity.
std::string room_text(const ResourceRow& row) {
  if (row.held_milli > 0)
    return (row.free_milli == 0 ? "0" : quantity_text(row.free_milli, "")) + "/" +
           quantity_text(row.free_milli + row.held_milli, row.unit);
  if (!row.capacity) return quantity_text(row.quantity_milli, row.unit);
  return std::to_string(row.occupancy.value_or(0)) + "/" + std::to_string(*row.capacity);
}

Style state_style(ResourceState state) {
  switch (state) {
    case ResourceState::available:
      return Style::plain;
    case ResourceState::reserved:
      return Style::yellow;
    case ResourceState::committed:
    case ResourceState::deployed:
    case ResourceState::returning:
      return Style::orange;
    case ResourceState::out_of_service:
      return Style::faint;
  }
  return Style::plain;
}

}  // namespace

Exit run_resources(const Common& common, const ResourcesCommand& command, const Console& console) {
  auto rows = ask<ResourceRows>(common, console, command.ask);
  if (!rows) return rows.error();
  // The node answers actual rows alone; should one send drills, they do not pass for actual ones.
  std::erase_if(rows->rows, [](const ResourceRow& row) { return row.status != Status::Actual; });
  if (rows->rows.empty()) console.err() << hints_for(command.ask, console.say()) << std::flush;
  if (said_as_json(*rows, console)) return Exit::done;
  const Say& say = console.say();
  const bool near = command.ask.near.has_value();
  std::vector<Column> columns{{say("name", "名称"), false, 36}, {say("kind", "类别")}, {say("state", "状态")}};
  if (near) columns.push_back({say("distance", "距离"), true});
  columns.push_back({say("quantity", "数量"), true});
  columns.push_back({say("capabilities", "能力"), false, 30});
  columns.push_back({say("place", "区划")});
  columns.push_back({say("owner", "单位"), false, 24});
  columns.push_back({say("phone", "电话")});
  Table table(columns);
  for (const ResourceRow& row : rows->rows) {
    std::vector<Cell> cells{
        {row.name.empty() ? row.id : row.name}, {word(row.type, say)}, {word(row.state, say), state_style(row.state)}};
    if (near) cells.push_back({distance_text(row.distance_m)});
    cells.push_back({room_text(row)});
    cells.push_back({capabilities_text(row)});
    cells.push_back({row.place.text()});
    cells.push_back({row.owner});
    cells.push_back({row.phone});
    table.add(std::move(cells));
  }
  if (table.empty()) {
    console.out() << say("no such resource", "没有符合条件的资源") << '\n';
    return Exit::done;
  }
  console.table(table);
  note_cut(rows->truncated, rows->rows.size(), console, rows->next);
  return Exit::done;
}

}  // namespace lianxi::cli
