#include "agents/operator/ask.h"

#include <ostream>

#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::cli {

template <class Rows>
Result<Rows, Exit> ask(sdk::Client& client, const Common& common, const Console& console, const Ask& question, Offset after) {
  auto answer = client.query(question, common.timeout, after);
  if (!answer) return tl::unexpected(console.unreachable(answer.error().detail));
  if (!*answer) return tl::unexpected(console.refused(answer->error()));
  auto* rows = std::get_if<Rows>(&(*answer)->rows);
  if (rows == nullptr) {
    return tl::unexpected(console.refused({RefusalCode::internal, "answer", "the node answered another question", 0}));
  }
  return std::move(*rows);
}

template <class Rows>
Result<Rows, Exit> ask(const Common& common, const Console& console, const Ask& question) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return tl::unexpected(console.refused(client.error()));
  return ask<Rows>(**client, common, console, question, Offset{});
}

#define LIANXI_ASKS(Rows)                                                           \
  template Result<Rows, Exit> ask<Rows>(const Common&, const Console&, const Ask&); \
  template Result<Rows, Exit> ask<Rows>(sdk::Client&, const Common&, const Console&, const Ask&, Offset);
LIANXI_ASKS(StatusReport)
LIANXI_ASKS(ResourceRows)
LIANXI_ASKS(AlertRows)
LIANXI_ASKS(ExplainReport)
LIANXI_ASKS(MobilisationRows)
LIANXI_ASKS(TotalRows)
LIANXI_ASKS(IncidentRows)
LIANXI_ASKS(RetentionPlan)
#undef LIANXI_ASKS

bool said_as_json(const ResourceRows& rows, const Console& console) {
  if (!console.json()) return false;
  console.out() << to_json(rows) << std::endl;
  note_cut(rows.truncated, rows.rows.size(), console, rows.next);
  return true;
}

void note_cut(bool truncated, std::size_t shown, const Console& console, const std::string& next) {
  if (!truncated) return;
  const Say& say = console.say();
  console.err() << say("there are more than these ", "还有更多;以上仅 ") << shown
                << say("; narrow the question or raise --limit, at most ", " 条。请缩小范围或提高 --limit,最多 ")
                << kMaxQueryLimit;
  if (!next.empty()) console.err() << say("; the next page: --after ", ";下一页:--after ") << next;
  console.err() << std::endl;
}

}  // namespace lianxi::cli
