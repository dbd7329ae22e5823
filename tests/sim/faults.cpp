#include "tests/sim/faults.h"

#include <algorithm>
#include <iterator>

namespace lianxi::sim {
namespace {

constexpr std::string_view kFaultWords[] = {
    "messages lost with their stream",
    "slow messages",
    "reordered across connections",
    "duplicated messages",
    "copies that came after their connection was left",
    "connections held up",
    "cuts one way",
    "cuts both ways",
    "islands",
    "full sockets",
    "process crashes",
    "power cuts",
    "outages of all nodes",
    "deaths at rest",
    "deaths at a change of the disk in a turn",
    "deaths between two effects",
    "deaths while the view takes a batch",
    "deaths while coming back",
    "sectors lost that were not synced",
    "pages torn",
    "deleted files returned",
    "commits on a slow disk",
    "writes without space (ENOSPC)",
    "writes failed (EIO)",
    "syncs failed (EIO)",
    "disks below headroom",
    "bits flipped at rest",
    "restores from an older backup",
    "restores with the links down",
    "disks rolled back to an older copy",
    "clones started beside their node",
    "answers given by clones",
    "clones that died for good",
    "clones that stayed",
    "feeds of two histories",
    "forked nodes restored into a new epoch",
    "members retired",
    "members added again",
    "members that joined late",
    "members files changed at one node",
    "clocks set forward",
    "clocks set back",
    "rights narrowed",
    "rights widened",
    "outboxes lost",
    "outboxes restored from a copy",
    "answered publishes repeated",
    "sequences reused",
    "sequences skipped",
    "sessions closed",
    "retentions published",
    "feeds that a joiner begins behind a retention",
    "deliveries falsified",
    "promises of supplies made",
    "promises refused, for others were first",
};
static_assert(std::size(kFaultWords) == kFaults);

constexpr std::string_view kMutationWords[] = {
    "none",
    "no-fsync",
    "ack-before-commit",
    "no-dedup",
    "no-chain-check",
    "order-dependent-projection",
    "local-in-shared-table",
    "flash-behind-bulk",
    "nothing-synced-at-open",
    "early-credit",
    "no-epoch-fence",
    "blind-to-forks",
    "no-stock-check",
    "stock-forgotten-at-restart",
};
static_assert(std::size(kMutationWords) == kMutations);

}  // namespace

std::string_view to_word(Fault fault) {
  return kFaultWords[static_cast<std::size_t>(fault)];
}

std::string_view to_word(Mutation mutation) {
  return kMutationWords[static_cast<std::size_t>(mutation)];
}

std::optional<Mutation> mutation_of(std::string_view word) {
  const auto at = std::find(std::begin(kMutationWords), std::end(kMutationWords), word);
  if (at == std::end(kMutationWords)) return std::nullopt;
  return static_cast<Mutation>(at - std::begin(kMutationWords));
}

}  // namespace lianxi::sim
