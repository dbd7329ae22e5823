// What a client has promised to send and has no answer to yet. Numbers events densely per lane in one session, and remembers
// the keys of publish_once with their outcomes.
//
// append() may be called from any thread and returns when the events are on disk (many callers share one commit); so may
// append_once(), outcome_of(), forget_keys(). Everything else belongs to the client's I/O thread. The SQLite form keeps nothing
// of a backlog in memory: it costs disk.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "agents/sdk/client.h"

namespace lianxi::sdk {

// Names an event from append() to its answer, whatever session and sequence it travels under. They grow, and are never used
// again: keys outlive their events.
using Ticket = std::uint64_t;

struct NewEvent {
  Ticket ticket = 0;
  Lane lane{};
  BytesView bytes;  // borrowed for the call
};
struct OutboxItem {
  Ticket ticket = 0;
  Sequence sequence;
  BytesView event;  // borrowed until the next load(), answered() or reopen()
};
// What append_once() did. A known key stores nothing and names the first event with it.
struct Appended {
  Ticket ticket = 0;
  bool known = false;
  std::optional<Outcome> outcome;  // of a known key, if it has been answered
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  [[nodiscard]] virtual Ticket first_ticket() const = 0;  // that no event has had yet, when the outbox was opened
  // True if what it holds ends with the process.
  [[nodiscard]] virtual bool in_memory() const = 0;
  // All or none. Refusals: disk_full if the file cannot take them, busy if memory is to hold no more.
  [[nodiscard]] virtual Result<void> append(std::span<const NewEvent> events) = 0;
  [[nodiscard]] virtual Result<Appended> append_once(const NewEvent& event, const std::string& key) = 0;
  [[nodiscard]] virtual std::optional<Outcome> outcome_of(const std::string& key) = 0;
  virtual void forget_keys(const std::string& prefix) = 0;

  [[nodiscard]] virtual SessionId session() const = 0;
  [[nodiscard]] virtual Sequence last(Lane lane) const = 0;              // highest number given; any thread
  [[nodiscard]] virtual Sequence answered_through(Lane lane) const = 0;  // any thread
  // What the node may be told: it forgets its answers up to here, so this side must have written them down.
  [[nodiscard]] virtual Sequence durably_answered(Lane lane) const = 0;
  // At most `max_events` from `from` on, in order; at most `max_bytes` past the first. Put into `items`, whose memory is used
  // again.
  [[nodiscard]] virtual Result<void> load(Lane lane, Sequence from, std::size_t max_events, std::size_t max_bytes,
                                          std::vector<OutboxItem>& items) = 0;
  // The answers to the events of `tickets`: `first` to the first of them, and on from there. Remembered where they have a key.
  virtual void settle(std::span<const Ticket> tickets, const Outcome& first) = 0;
  // Forgets all events up to `through`, which are all settled. Reaches the disk with the next append or flush().
  virtual void answered(Lane lane, Sequence through) = 0;
  virtual void flush() = 0;
  // What is left is numbered anew from 1 under `fresh`, in its old order, without the events of `dropped`.
  [[nodiscard]] virtual Result<void> reopen(SessionId fresh, const std::vector<Ticket>& dropped) = 0;
};

// The outcome of the event `step` behind one with `first`: receipts of a run are dense.
[[nodiscard]] Outcome outcome_after(const Outcome& first, std::uint64_t step);

// Refuses (busy) what would make it hold more than `max_bytes` of events.
[[nodiscard]] std::unique_ptr<Outbox> make_memory_outbox(SessionId session, std::size_t max_bytes);
// Refusals (config): the file is held by another process, belongs to another agent, or cannot be opened.
// `fresh` is the session of a new file.
[[nodiscard]] Result<std::unique_ptr<Outbox>> open_sqlite_outbox(const std::string& path, const AgentId& agent, RegionCode node,
                                                                 SessionId fresh);

}  // namespace lianxi::sdk
