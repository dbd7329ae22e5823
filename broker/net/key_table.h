// Which CURVE key is which agent. Shared by the ZAP thread and every socket, and replaced whole when keys change.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lianxi::net {

struct KeyEntry {
  std::string key;    // Z85
  std::string agent;  // agent id
};

// Any thread.
class KeyTable {
 public:
  KeyTable();
  void replace(const std::vector<KeyEntry>& entries);
  [[nodiscard]] std::optional<std::string> agent_of(const std::string& key) const;
  // True while `key` still belongs to `agent`: a connection outlives the table that admitted it.
  [[nodiscard]] bool is(const std::string& key, std::string_view agent) const;

 private:
  using Map = std::unordered_map<std::string, std::string>;
  [[nodiscard]] std::shared_ptr<const Map> map() const;
  mutable std::mutex mutex_;
  std::shared_ptr<const Map> map_;
};

}  // namespace lianxi::net
