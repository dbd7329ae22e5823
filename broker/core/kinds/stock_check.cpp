// Two functions in a file of their own: the simulator puts others before them, to see that it notices.
#include <fmt/format.h>

#include "broker/core/kinds/mobilisation.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

std::string decimal(std::int64_t milli) {
  if (milli % 1000 == 0) return std::to_string(milli / 1000);
  return fmt::format("{:g}", static_cast<double>(milli) / 1000);
}

struct Wanted {
  std::int64_t before = 0, after = 0;  // of this thread
  std::size_t promises = 0;
};

tl::unexpected<Refusal> conflict(std::string reason) {
  return refuse(RefusalCode::conflict, "items", std::move(reason));
}

Result<void> is_usable(const std::string& resource, const StockRow& row, TimeMs now) {
  if (row.type == ResourceType::site) return conflict(resource + " is a site: nobody can be given it");
  if (row.state() != ResourceState::available)
    return conflict(fmt::format("{} is {}; say that it is available first", resource, to_word(row.state())));
  if ((row.valid_from != 0 && now < row.valid_from) || (row.valid_until != 0 && now >= row.valid_until))
    return conflict(resource + " is not valid at this time, as its record says");
  return {};
}

}  // namespace

Result<void> check_stock(const StockQuestion& ask) {
  const KindMemory& memory = ask.memory;
  std::map<std::string, Wanted> wanted;
  for (const auto& [of, promise] : ask.before)
    if (promise.holds_at(memory.now)) wanted[of.first].before += promise.quantity_milli;
  for (const auto& [of, promise] : ask.after) {
    if (!promise.holds_at(memory.now)) continue;
    Wanted& of_resource = wanted[of.first];
    ++of_resource.promises;
    if (__builtin_add_overflow(of_resource.after, promise.quantity_milli, &of_resource.after)) of_resource.after = INT64_MAX;
  }
  for (const auto& [resource, want] : wanted) {
    if (want.after <= want.before) continue;
    const auto row = memory.stock.find(resource, ask.thread.status);
    if (!row) return refuse(RefusalCode::not_found, "items", "no resource " + resource + " is in this region's inventory");
    const HeldOf held = memory.mobilisations.held(resource, ask.thread.status, memory.now, &ask.thread);
    if (want.before == 0) {
      if (auto usable = is_usable(resource, *row, memory.now); !usable) return usable;
    }
    if (row->whole()) {
      if (held.count == 0 && want.promises <= 1) continue;
      return conflict(fmt::format("{} goes as a whole, and is promised already: {}", resource,
                                  held.count == 0 ? "twice in this mobilisation" : held.holders));
    }
    const std::int64_t free = std::max<std::int64_t>(0, row->quantity_milli - held.quantity_milli);
    if (want.after <= free) continue;
    return conflict(fmt::format("of {} {} are free here, {} are asked for; there are {}{}{}", resource, decimal(free),
                                decimal(want.after), decimal(row->quantity_milli), held.count == 0 ? "" : "; ", held.holders));
  }
  return {};
}

Result<void> check_undercut(const Candidate& candidate, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  const ResourceView& resource = *candidate.event.resource();
  if (resource.change == ResourceChange::place || resource.change == ResourceChange::contact) return {};
  const HeldOf held = memory.mobilisations.held(envelope.entity, envelope.status, memory.now);
  if (held.count == 0) return {};
  const auto row = memory.stock.after(envelope, resource);
  if (!row) return refuse(RefusalCode::conflict, "change", "it cannot be removed: it is promised: " + held.holders);
  if (row->state() == ResourceState::out_of_service)
    return refuse(RefusalCode::conflict, "state", "it cannot go out of service: it is promised: " + held.holders);
  if (row->whole() || row->quantity_milli >= held.quantity_milli) return {};
  return refuse(RefusalCode::conflict, "quantity",
                fmt::format("{} would be less than the {} that are promised: {}", decimal(row->quantity_milli),
                            decimal(held.quantity_milli), held.holders));
}

}  // namespace lianxi::core
