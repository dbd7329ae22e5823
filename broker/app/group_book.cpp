#include "broker/app/group_book.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "broker/app/config_words.h"

namespace lianxi::app {
namespace {

namespace fs = std::filesystem;

core::Group read_kept(TableReader& table) {
  core::Group group;
  if (const auto at = table.text("name"))
    if (const auto name = accept(table, *at, Audience::parse(at->value))) group.audience = *name;
  for (const TableReader::Text& at : table.texts("members", TableReader::Need::required))
    if (const auto region = read_region(table, at)) group.members.push_back(*region);
  table.close();
  return group;
}

std::string written(const std::vector<core::Group>& groups) {
  std::string out =
      "# The sets of members that this node has run under these names; written by the node. A group keeps its set: what was\n"
      "# published to it would reach others. Another set takes another name.\n";
  for (const core::Group& group : groups) {
    out += "\n[[group]]\nname = \"" + group.audience.text() + "\"\nmembers = [";
    for (const RegionCode& region : group.members) out += (out.back() == '[' ? "\"" : ", \"") + to_text(region) + "\"";
    out += "]\n";
  }
  return out;
}

// Under its name it is whole, whenever the power goes.
bool put_on_disk(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new", folder = fs::path(path).parent_path().string();
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return false;
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!whole || ::rename(fresh.c_str(), path.c_str()) != 0) return false;
  const int names = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = names >= 0 && ::fsync(names) == 0;
  if (names >= 0) ::close(names);
  return durable;
}

}  // namespace

Result<GroupBook, std::string> GroupBook::open(std::string path) {
  GroupBook book;
  book.path_ = std::move(path);
  std::error_code error;
  if (!fs::exists(book.path_, error) && !error) return book;
  std::vector<ConfigFinding> findings;
  const std::optional<TomlNode> tree = read_toml(book.path_, findings);
  std::vector<core::Group> groups;
  if (tree) {
    TableReader root(*tree, book.path_, "", findings);
    for (TableReader& table : root.tables("group")) groups.push_back(read_kept(table));
    root.close();
  }
  if (has_errors(findings))
    return tl::unexpected(to_text(findings.front()) + "; if the groups of members.toml are as they ever were, remove the file");
  book.kept_ = core::Members({}, std::move(groups));
  return book;
}

std::string GroupBook::refuses(const core::Members& members) const {
  return cannot_follow(kept_, members, true);
}

std::string GroupBook::keep(const core::Members& members) {
  std::vector<core::Group> groups = kept_.groups();
  for (const core::Group& group : members.groups())
    if (kept_.group(group.audience) == nullptr) groups.push_back(group);
  if (groups.size() == kept_.groups().size()) return {};
  if (!put_on_disk(path_, written(groups))) return path_ + " cannot be written: " + std::strerror(errno);
  kept_ = core::Members({}, std::move(groups));
  return {};
}

}  // namespace lianxi::app
