// What a client has promised to send and has no answer to yet. Numbers events densely per lane in one session, and remembers
// the keys of publish_once with their outcomes.
//
// append() may be called from any thread and returns when the event is on disk (many callers share one commit); so may
// outcome_of() and forget_keys(). Everything else belongs to the client's I/O thread. The SQLite form keeps nothing of a
// backlog in memory: it costs disk.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agents/sdk/client.h"

namespace lianxi::sdk {

// Names an event from append() to its answer, whatever session and sequence it travels under.
using Ticket = std::uint64_t;

struct OutboxItem {
  Ticket ticket = 0;
  Sequence sequence;
  Bytes event;
};
// What append() did. A known key stores nothing and names the first event with it.
struct Appended {
  Ticket ticket = 0;
  bool known = false;
  std::optional<Outcome> outcome;  // of a known key, if it has been answered
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  [[nodiscard]] virtual Ticket next_ticket() = 0;  // any thread
  // An empty key is none. Refusal disk_full if the file cannot take it: then nothing is stored.
  [[nodiscard]] virtual Result<Appended> append(Ticket ticket, Lane lane, Bytes event, std::string key) = 0;
  [[nodiscard]] virtual std::optional<Outcome> outcome_of(const std::string& key) = 0;
  virtual void forget_keys(const std::string& prefix) = 0;

  [[nodiscard]] virtual SessionId session() const = 0;
  [[nodiscard]] virtual Sequence last(Lane lane) const = 0;              // highest number given; any thread
  [[nodiscard]] virtual Sequence answered_through(Lane lane) const = 0;  // any thread
  // What the node may be told: it forgets its answers up to here, so this side must have written them down.
  [[nodiscard]] virtual Sequence durably_answered(Lane lane) const = 0;
  // At most `max_events` from `from` on, in order; at most `max_bytes` past the first.
  [[nodiscard]] virtual Result<std::vector<OutboxItem>> load(Lane lane, Sequence from, std::size_t max_events,
                                                             std::size_t max_bytes) = 0;
  // The answer to one event; remembered if it has a key.
  virtual void settle(Ticket ticket, const Outcome& outcome) = 0;
  // Forgets all events up to `through`, which are all settled. Reaches the disk with the next append or flush().
  virtual void answered(Lane lane, Sequence through) = 0;
  virtual void flush() = 0;
  // What is left is numbered anew from 1 under `fresh`, in its old order, without the events of `dropped`.
  [[nodiscard]] virtual Result<void> reopen(SessionId fresh, const std::vector<Ticket>& dropped) = 0;
};

[[nodiscard]] std::unique_ptr<Outbox> make_memory_outbox(SessionId session);
// Refusals (config): the file is held by another process, belongs to another agent, or cannot be opened.
// `fresh` is the session of a new file.
[[nodiscard]] Result<std::unique_ptr<Outbox>> open_sqlite_outbox(const std::string& path, const AgentId& agent, RegionCode node,
                                                                 SessionId fresh);

}  // namespace lianxi::sdk
