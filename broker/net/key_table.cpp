#include "broker/net/key_table.h"

namespace lianxi::net {

KeyTable::KeyTable() : map_(std::make_shared<const Map>()) {}

void KeyTable::replace(const std::vector<KeyEntry>& entries) {
  auto next = std::make_shared<Map>();
  for (const KeyEntry& entry : entries) next->emplace(entry.key, entry.agent);
  const std::lock_guard lock(mutex_);
  map_ = std::move(next);
}

std::shared_ptr<const KeyTable::Map> KeyTable::map() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

std::optional<std::string> KeyTable::agent_of(const std::string& key) const {
  const auto current = map();
  const auto found = current->find(key);
  if (found == current->end()) return std::nullopt;
  return found->second;
}

bool KeyTable::is(const std::string& key, std::string_view agent) const {
  const auto current = map();
  const auto found = current->find(key);
  return found != current->end() && found->second == agent;
}

}  // namespace lianxi::net
