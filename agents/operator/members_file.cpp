#include "agents/operator/members_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "agents/operator/console.h"

namespace lianxi::cli {
namespace {

constexpr std::size_t kMaxMembersBytes = 4 * 1024 * 1024;

std::string text_of(const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return {};
  return node->value<std::string>().value_or("");
}

std::uint32_t line_of(const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  return node == nullptr ? 0 : static_cast<std::uint32_t>(node->source().begin.line);
}

tl::unexpected<Refusal> wrong(const std::string& path, std::uint32_t line, const std::string& what) {
  return refuse(RefusalCode::config, "members", path + ":" + std::to_string(line) + ": " + what);
}

Result<MemberEntry> read_entry(const std::string& path, const toml::table& table) {
  MemberEntry entry;
  entry.first_line = entry.last_line = static_cast<std::uint32_t>(table.source().begin.line);
  if (table.is_inline())
    return wrong(path, entry.first_line, "a member in one line cannot be edited here: write it as a [[member]] block");
  const auto region = parse_region(text_of(table, "region"));
  if (!region) return wrong(path, entry.first_line, "this [[member]] has no region that is a code of GB/T 2260");
  entry.region = *region;
  entry.name_zh = text_of(table, "name_zh");
  entry.name_en = text_of(table, "name_en");
  entry.seal_key = text_of(table, "seal_key");
  entry.curve_key = text_of(table, "curve_key");
  for (const char* name : kMemberEndpoints) entry.endpoints[name] = text_of(table, name);
  entry.since = text_of(table, "since");
  entry.until = text_of(table, "until");
  entry.since_line = line_of(table, "since");
  entry.until_line = line_of(table, "until");
  for (const auto& [key, node] : table)
    entry.last_line = std::max(entry.last_line, static_cast<std::uint32_t>(node.source().end.line));
  for (const auto& [text, line, bound, into] : {std::tuple{&entry.since, entry.since_line, Bound::since, &entry.window.since},
                                                std::tuple{&entry.until, entry.until_line, Bound::until, &entry.window.until}}) {
    if (line == 0) continue;
    const auto time = parse_bound(*text, bound);
    if (!time) return wrong(path, line, time.error().reason);
    *into = *time;
  }
  return entry;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end - at + 1));
    at = end + 1;
  }
  return lines;
}

std::string ending_of(const std::string& text) {
  const std::size_t end = text.find('\n');
  return end != std::string::npos && end > 0 && text[end - 1] == '\r' ? "\r\n" : "\n";
}

// Only what was meant has changed.
Result<MembersFile> checked(const MembersFile& before, std::string text, const std::vector<MemberEntry>& meant) {
  auto after = parse_members_file(before.path, std::move(text));
  if (after && after->members == meant && after->groups == before.groups) return after;
  return refuse(RefusalCode::config, "members",
                before.path + ": it is written in a way that cannot be changed by lines; change it by hand" +
                    (after ? std::string() : ": " + after.error().reason));
}

std::string line(const std::string& name, const std::string& value) {
  return name + " = \"" + value + "\"";
}

Result<void> failed(const std::string& path) {
  return refuse(RefusalCode::config, "members", path + ": " + std::strerror(errno));
}

}  // namespace

bool MemberEntry::operator==(const MemberEntry& other) const {
  return std::tie(region, name_zh, name_en, seal_key, curve_key, endpoints, since, until) ==
         std::tie(other.region, other.name_zh, other.name_en, other.seal_key, other.curve_key, other.endpoints, other.since,
                  other.until);
}

const MemberEntry* MembersFile::find(RegionCode region) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const MemberEntry& e) { return e.region == region; });
  return found == members.end() ? nullptr : &*found;
}

Result<MembersFile> parse_members_file(std::string path, std::string text) {
  MembersFile file{std::move(path), std::move(text), {}, {}};
  try {
    const toml::table root = toml::parse(file.text, file.path);
    if (const toml::array* members = root["member"].as_array()) {
      for (const toml::node& node : *members) {
        const toml::table* table = node.as_table();
        if (table == nullptr)
          return wrong(file.path, static_cast<std::uint32_t>(node.source().begin.line), "is no [[member]] block");
        auto entry = read_entry(file.path, *table);
        if (!entry) return tl::unexpected(std::move(entry.error()));
        if (file.find(entry->region) != nullptr)
          return wrong(file.path, entry->first_line, to_text(entry->region) + " stands here twice");
        file.members.push_back(std::move(*entry));
      }
    }
    if (const toml::array* groups = root["group"].as_array()) {
      for (const toml::node& node : *groups) {
        const toml::table* table = node.as_table();
        if (table == nullptr)
          return wrong(file.path, static_cast<std::uint32_t>(node.source().begin.line), "is no [[group]] block");
        GroupEntry group{text_of(*table, "name"), {}, text_of(*table, "since"), text_of(*table, "until")};
        if (const toml::array* of = (*table)["members"].as_array())
          for (const toml::node& member : *of) group.members.push_back(member.value<std::string>().value_or(""));
        file.groups.push_back(std::move(group));
      }
    }
  } catch (const toml::parse_error& broken) {
    return wrong(file.path, static_cast<std::uint32_t>(broken.source().begin.line), std::string(broken.description()));
  }
  if (file.members.empty()) return refuse(RefusalCode::config, "members", file.path + ": there is no [[member]] in it");
  return file;
}

Result<MembersFile> read_members_file(const std::string& path) {
  auto text = read_input(path, kMaxMembersBytes);
  if (!text) return tl::unexpected(Refusal{text.error().code, "members", text.error().reason, 0});
  return parse_members_file(path, std::move(*text));
}

Result<MembersFile> with_member(const MembersFile& file, const MemberEntry& entry) {
  if (auto fit = check_entry(file, entry); !fit) return tl::unexpected(std::move(fit.error()));
  const std::string end = ending_of(file.text);
  std::string block = file.text;
  if (!block.empty() && block.back() != '\n') block += end;
  block += end + "[[member]]" + end;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) block += line(name, value) + end;
  };
  add("region", to_text(entry.region));
  add("name_zh", entry.name_zh);
  add("name_en", entry.name_en);
  add("seal_key", entry.seal_key);
  add("curve_key", entry.curve_key);
  for (const char* name : kMemberEndpoints) add(name, entry.endpoints.at(name));
  add("since", entry.since);
  add("until", entry.until);
  std::vector<MemberEntry> meant = file.members;
  meant.push_back(entry);
  return checked(file, std::move(block), meant);
}

Result<MembersFile> with_until(const MembersFile& file, RegionCode region, const std::string& until) {
  const MemberEntry* entry = file.find(region);
  if (entry == nullptr) return refuse(RefusalCode::not_found, "region", to_text(region) + " is no member in " + file.path);
  const auto time = parse_bound(until, Bound::until);
  if (!time) return refuse(time.error().code, "until", time.error().reason);
  if (entry->window.since && *time <= *entry->window.since)
    return refuse(RefusalCode::invalid_field, "until",
                  to_text(region) + " is a member since " + entry->since + ", and would end before it begins");
  std::vector<std::string> lines = lines_of(file.text);
  if (entry->until_line != 0) {
    std::string& old = lines[entry->until_line - 1];
    const std::size_t at = old.find(entry->until);
    if (at == std::string::npos) return wrong(file.path, entry->until_line, "this `until` cannot be replaced by lines");
    old.replace(at, entry->until.size(), until);
  } else {
    std::string& last = lines[entry->last_line - 1];
    if (last.back() != '\n') last += ending_of(file.text);
    lines.insert(lines.begin() + entry->last_line, line("until", until) + ending_of(file.text));
  }
  std::string text;
  for (const std::string& each : lines) text += each;
  std::vector<MemberEntry> meant = file.members;
  meant[static_cast<std::size_t>(entry - file.members.data())].until = until;
  return checked(file, std::move(text), meant);
}

Result<void> write_members_file(const MembersFile& file) {
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(file.path, error).string();  // a link stays one
  const std::string path = error ? file.path : real;
  const std::string fresh = path + ".new-" + std::to_string(::getpid());
  struct stat before {};
  const bool was = ::stat(path.c_str(), &before) == 0;
  const mode_t mode = was ? before.st_mode & 07777U : 0644U;
  const int fd = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  if (fd < 0) return failed(fresh);
  std::size_t written = 0;
  while (written < file.text.size()) {
    const ssize_t more = ::write(fd, file.text.data() + written, file.text.size() - written);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    written += static_cast<std::size_t>(more);
  }
  // Whoever could read it can read it still: the broker, when root edits.
  const bool owned =
      !was || (before.st_uid == ::geteuid() && before.st_gid == ::getegid()) || ::fchown(fd, before.st_uid, before.st_gid) == 0;
  const bool good = written == file.text.size() && owned && ::fchmod(fd, mode) == 0 && ::fsync(fd) == 0;
  const int reason = errno;
  ::close(fd);
  if (!good || ::rename(fresh.c_str(), path.c_str()) != 0) {
    errno = good ? errno : reason;
    auto why = failed(fresh);
    ::unlink(fresh.c_str());
    return why;
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int at = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = at >= 0 && ::fsync(at) == 0;
  auto outcome = synced ? Result<void>() : failed(folder);
  if (at >= 0) ::close(at);
  return outcome;
}

Result<NodeKeyFile> read_node_key_file(const std::string& path) {
  auto text = read_input(path, kMaxMembersBytes);
  if (!text) return refuse(text.error().code, "keys", text.error().reason);
  try {
    const toml::table root = toml::parse(*text, path);
    if (root.contains("curve"))
      return refuse(RefusalCode::config, "keys", path + ": is a file of secret keys; name the public one, without .secret");
    return NodeKeyFile{text_of(root, "id"), text_of(root, "public_key"), text_of(root, "seal_key")};
  } catch (const toml::parse_error& broken) {
    return wrong(path, static_cast<std::uint32_t>(broken.source().begin.line), std::string(broken.description()));
  }
}

}  // namespace lianxi::cli
