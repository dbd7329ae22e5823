#include "agents/operator/mobilise_thread.h"

#include <algorithm>

#include "agents/operator/ask.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

class Finder {
 public:
  Finder(sdk::Client& client, const Common& common, const Console& console, Status status)
      : client_(client), common_(common), console_(console), status_(status) {}

  Result<MobilisationRow, Exit> find(const std::string& name) {
    AskMobilisations whole;
    whole.entity = name;
    if (name.find(':') == std::string::npos) {
      auto entity = entity_of(name);
      if (!entity) return tl::unexpected(entity.error());
      whole.entity = std::move(*entity);
    }
    auto rows = ask<MobilisationRows>(client_, common_, console_, whole);
    if (!rows) return tl::unexpected(rows.error());
    for (MobilisationRow& row : rows->rows)
      if (row.status == status_ || rows->rows.size() == 1) return std::move(row);
    return unknown(name);
  }

 private:
  Result<std::string, Exit> entity_of(const std::string& name) {
    AskMobilisations all;
    all.drills = true;
    all.limit = kMaxQueryLimit;
    auto rows = ask<MobilisationRows>(client_, common_, console_, all);
    if (!rows) return tl::unexpected(rows.error());
    std::vector<std::string> found;
    for (const MobilisationRow& row : rows->rows) {
      if (row.id.ends_with(":" + name)) return row.id;
      if (row.id.ends_with(name) && std::ranges::find(found, row.id) == found.end()) found.push_back(row.id);
    }
    if (found.size() == 1) return found.front();
    if (found.empty()) return unknown(name);
    const Say& say = console_.say();
    return tl::unexpected(
        console_.refused({RefusalCode::conflict, "THREAD",
                          name + say(" is the end of several: ", " 对应多个编号:") + found[0] + ", " + found[1], 0}));
  }

  tl::unexpected<Exit> unknown(const std::string& name) {
    const Say& say = console_.say();
    return tl::unexpected(console_.refused({RefusalCode::not_found, "THREAD",
                                            name + say(": this node knows no such mobilisation, or you may not see it; `lianxi "
                                                       "mobilise list` shows those that are open",
                                                       ":本节点没有该资源调度,或您无权查看;`lianxi mobilise list` 列出进行中的"),
                                            0}));
  }

  sdk::Client& client_;
  const Common& common_;
  const Console& console_;
  Status status_;
};

}  // namespace

Result<MobilisationRow, Exit> find_thread(sdk::Client& client, const Common& common, const Console& console,
                                          const std::string& name, Status status) {
  return Finder(client, common, console, status).find(name);
}

}  // namespace lianxi::cli
