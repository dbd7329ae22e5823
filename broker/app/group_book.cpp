#include "broker/app/group_book.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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

std::string words_of(const std::vector<RegionCode>& members, const char* quote) {
  std::string out = "[";
  for (const RegionCode& region : members) out += (out.size() > 1 ? ", " : "") + (quote + to_text(region)) + quote;
  return out + "]";
}

std::string written(const std::vector<core::Group>& groups) {
  std::string out =
      "# The sets of members that this node has run under these names; written by the node. A group keeps its set: what was\n"
      "# published to it would reach others. Another set takes another name.\n";
  for (const core::Group& group : groups) {
    out += "\n[[group]]\nname = \"" + group.audience.text() + "\"\nmembers = " + words_of(group.members, "\"") + "\n";
  }
  return out;
}

// 0, or the errno. A disk that takes a part only is full.
int write_synced(int file, const std::string& text) {
  const ssize_t taken = ::write(file, text.data(), text.size());
  if (taken < 0) return errno;
  if (taken != static_cast<ssize_t>(text.size())) return ENOSPC;
  return ::fsync(file) == 0 ? 0 : errno;
}

// 0, or the errno. Under its name it is whole, whenever the power goes.
int put_on_disk(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new", folder = fs::path(path).parent_path().string();
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return errno;
  const int why = write_synced(file, text);
  ::close(file);
  if (why != 0) return why;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return errno;
  const int names = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (names < 0) return errno;
  const int synced = ::fsync(names) == 0 ? 0 : errno;
  ::close(names);
  return synced;
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
  std::string why = cannot_follow(kept_, members, true);
  const auto other = std::find_if(kept_.groups().begin(), kept_.groups().end(), [&](const core::Group& group) {
    const core::Group* next = members.group(group.audience);
    return next != nullptr &&
           !std::is_permutation(group.members.begin(), group.members.end(), next->members.begin(), next->members.end());
  });
  if (why.empty() || other == kept_.groups().end()) return why;
  return why + " (" + path_ + " keeps it: " + words_of(other->members, "") +
         "; that file may be removed only if nothing was ever published to it here)";
}

std::string GroupBook::keep(const core::Members& members) {
  std::vector<core::Group> groups = kept_.groups();
  for (const core::Group& group : members.groups())
    if (kept_.group(group.audience) == nullptr) groups.push_back(group);
  if (groups.size() == kept_.groups().size()) return {};
  if (const int why = put_on_disk(path_, written(groups)); why != 0) return path_ + " cannot be written: " + std::strerror(why);
  kept_ = core::Members({}, std::move(groups));
  return {};
}

}  // namespace lianxi::app
