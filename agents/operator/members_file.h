// members.toml as an operator edits it: read with the place of every block, changed by lines, so that comments, order and all
// else of the file stay as its owner wrote them. What a change was meant to come to is read back before it is given out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schemas/membership.h"

namespace lianxi::cli {

inline constexpr const char* kMemberEndpoints[] = {"flash", "data", "follow", "query", "live"};

struct MemberEntry {
  RegionCode region;
  std::string name_zh, name_en;
  std::string seal_key, curve_key;               // as they stand there
  std::map<std::string, std::string> endpoints;  // by kMemberEndpoints
  std::string since, until;                      // as they stand there; empty: none
  Window window;

  // Where it stands in the file; not compared.
  std::uint32_t first_line = 0, last_line = 0;  // from 1; the last line that says something of it
  std::uint32_t since_line = 0, until_line = 0;
  bool operator==(const MemberEntry& other) const;
};
struct GroupEntry {
  std::string name;
  std::vector<std::string> members;
  std::string since, until;
  bool operator==(const GroupEntry&) const = default;
};
struct MembersFile {
  std::string path, text;
  std::vector<MemberEntry> members;
  std::vector<GroupEntry> groups;
  [[nodiscard]] MembersVersion version() const { return members_version(text); }
  [[nodiscard]] const MemberEntry* find(RegionCode region) const;
};

// Refusals name the file and, where one is at fault, the line.
[[nodiscard]] Result<MembersFile> parse_members_file(std::string path, std::string text);
[[nodiscard]] Result<MembersFile> read_members_file(const std::string& path);

// What a city's code, keys and endpoints must be, and what no other entry of the file may have.
[[nodiscard]] Result<void> check_entry(const MembersFile& file, const MemberEntry& entry);

// The file with one block more, at its end.
[[nodiscard]] Result<MembersFile> with_member(const MembersFile& file, const MemberEntry& entry);
// The file with this end of a member, instead of the one that stood there.
[[nodiscard]] Result<MembersFile> with_until(const MembersFile& file, RegionCode region, const std::string& until);

// Under another name first, synced, then renamed: whoever reads the file sees the old one or the new one.
[[nodiscard]] Result<void> write_members_file(const MembersFile& file);

// The public half of a node's keys, as `lianxi keys new ... --seal` wrote it.
struct NodeKeyFile {
  std::string id, curve_key, seal_key;
};
[[nodiscard]] Result<NodeKeyFile> read_node_key_file(const std::string& path);

}  // namespace lianxi::cli
