// Which of the own resources have changed lately. A restatement says up to which offset of this journal its author has seen the
// resource; it must not undo what was said since.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "schemas/event.h"

namespace lianxi::core {

inline constexpr std::size_t kMaxChangedResources = 64 * 1024;

class ChangedResources {
 public:
  explicit ChangedResources(Offset begin = Offset{1}) : known_from_(begin), head_(begin) {}

  // In the open turn.
  void changed(const Envelope& envelope) { open_.insert(key_of(envelope)); }
  // The turn's events lie below `end`.
  void close(Offset end) {
    if (changed_.size() + open_.size() > kMaxChangedResources) {
      changed_.clear();
      known_from_ = end;
    }
    for (const std::string& key : open_) changed_.insert_or_assign(key, end);
    open_.clear();
    head_ = end;
  }
  // False if it may have changed at or behind the offset, or that is no place of this journal.
  [[nodiscard]] bool unchanged_since(const Envelope& envelope, Offset offset) const {
    const std::string key = key_of(envelope);
    if (offset < known_from_ || offset > head_ || open_.contains(key)) return false;
    const auto found = changed_.find(key);
    return found == changed_.end() || found->second <= offset;
  }

 private:
  static std::string key_of(const Envelope& envelope) {
    return std::to_string(static_cast<unsigned>(envelope.status)) + " " + envelope.audience.text() + " " + envelope.entity;
  }
  Offset known_from_, head_;
  std::unordered_map<std::string, Offset> changed_;
  std::set<std::string> open_;
};

}  // namespace lianxi::core
