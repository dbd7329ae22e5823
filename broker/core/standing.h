// Alarms that stand: told when they begin, told again each kAlarmRepeatMs while they are raised again, shown in status, and told
// once more when they are over.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "broker/core/turn.h"
#include "schemas/queries.h"

namespace lianxi::core {

class StandingAlarms {
 public:
  void raise(Turn& turn, const std::string& what, const std::string& about, std::string reason);
  // Nothing if it does not stand. Told as `<what>_over`.
  void end(Turn& turn, const std::string& what, const std::string& about, std::string reason);
  [[nodiscard]] bool stands(const std::string& what, const std::string& about) const { return held_.contains({what, about}); }
  [[nodiscard]] std::vector<AlarmRow> rows() const;

 private:
  struct Held {
    TimeMs since = 0, told_at = 0;
    std::string reason;
  };
  std::map<std::pair<std::string, std::string>, Held> held_;  // by what and about whom; bounded: kMaxHeldFeeds
};

}  // namespace lianxi::core
