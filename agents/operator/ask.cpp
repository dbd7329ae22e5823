#include "agents/operator/ask.h"

#include <ostream>

#include "schemas/limits.h"

namespace lianxi::cli {

template <class Rows>
Result<Rows, Exit> ask(const Common& common, const Console& console, const Ask& question) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return tl::unexpected(console.refused(client.error()));
  auto answer = (*client)->query(question, common.timeout, Offset{});
  if (!answer) return tl::unexpected(console.unreachable(answer.error().detail));
  if (!*answer) return tl::unexpected(console.refused(answer->error()));
  auto* rows = std::get_if<Rows>(&(*answer)->rows);
  if (rows == nullptr) {
    return tl::unexpected(console.refused({RefusalCode::internal, "answer", "the node answered another question", 0}));
  }
  return std::move(*rows);
}

template Result<StatusReport, Exit> ask<StatusReport>(const Common&, const Console&, const Ask&);
template Result<ResourceRows, Exit> ask<ResourceRows>(const Common&, const Console&, const Ask&);
template Result<AlertRows, Exit> ask<AlertRows>(const Common&, const Console&, const Ask&);
template Result<ExplainReport, Exit> ask<ExplainReport>(const Common&, const Console&, const Ask&);
template Result<MobilisationRows, Exit> ask<MobilisationRows>(const Common&, const Console&, const Ask&);
template Result<TotalRows, Exit> ask<TotalRows>(const Common&, const Console&, const Ask&);
template Result<IncidentRows, Exit> ask<IncidentRows>(const Common&, const Console&, const Ask&);

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
