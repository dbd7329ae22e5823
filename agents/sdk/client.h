// The client of a node: durable publish, follow, query. Everything that an agent or operator does goes through it.
//
//   auto client = sdk::Client::open(profile, {.outbox = "police.outbox.db"});
//   auto outcome = (*client)->publish(event).get();      // receipt after fsync, or a typed refusal
//
// Threads: one I/O thread per client, started by open(), and one that writes the outbox, started by the first publish_async.
// Who queries sends the question and reads the answer in its own thread. Every public function may be called from any thread
// (from a callback not wait_connected, which would wait for its own thread, nor query, which would hold it up); callbacks
// run on the I/O thread, must not block for long and must not throw. They may publish. Lives until the destructor, which
// waits for nothing but the disk: what the outbox holds is sent by the next client that opens it, and who still waits for an
// answer gets `busy`, also what its callbacks publish then, once. No callback runs after the destructor, which must not run
// in a callback.
//
// Batches make themselves: an event travels at once while few messages are on their way, and with all that came meanwhile
// when there are more. Who publishes much at once hands it over as one span: one lock, and one disk write, for all of it.
//
// Order: events of one lane reach the node in the order of their publish calls. Lanes overtake each other on purpose (flash
// travels on a connection of its own), so nothing is promised about the order of two events of different lanes, not even of
// one entity: a resource's change of state may arrive before the upsert that was published just before it.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agents/sdk/event_stream.h"
#include "agents/sdk/profile.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"
#include "schemas/event_rules.h"
#include "schemas/protocol.h"

namespace lianxi::sdk {

struct Receipt {
  FeedId feed;
  Sequence sequence;  // in the feed
  Ordinal ordinal;
  Offset offset;  // in the journal of the node that accepted it
};
using Outcome = Result<Receipt>;
// Told once for each event of a call that published many: its place in that call, and the node's answer.
using EachDone = std::function<void(std::size_t index, const Outcome&)>;

// Ack level peers(k). Once the event is on disk at the node: do so many other nodes hold it on theirs, too?
struct PublishOptions {
  std::uint8_t peers = 0;  // how many; more than its audience has beside the node is refused
  // From the node's receipt on, at most ten minutes. Begins anew when the connection breaks in between: the event is then sent,
  // and the question asked, again.
  std::chrono::milliseconds deadline{5'000};
};
struct Replication {
  std::uint8_t held = 0, wanted = 0;
  [[nodiscard]] bool reached() const { return held >= wanted; }  // else not by the deadline; the event stays, and travels on
};
struct Published {
  std::future<Outcome> receipt;
  std::future<Result<Replication>> replication;  // behind the receipt; a refusal of the event is told in both
};

struct ClientOptions {
  std::string outbox = {};  // SQLite file; empty: in memory (lost with the process)
  // The window: what may be on its way to the node without an answer, per lane; bytes past the first event.
  std::size_t max_in_flight = 1024;
  std::size_t max_in_flight_bytes = 8 * 1024 * 1024;
  // Event bytes that may wait in memory: in an outbox without a file, and behind publish_async. What is more is refused (busy).
  std::size_t max_waiting_bytes = 256 * 1024 * 1024;
  std::string software = "lianxi-sdk";
  // What a person should know and nobody asked for: a session given up, an event of an earlier process refused, a node that
  // takes nothing meanwhile. I/O thread.
  std::function<void(const std::string&)> report = {};
};

enum class SdkError : std::uint8_t { unreachable, timeout, closed, outbox };

struct FollowOptions {
  FollowFrom from = FollowFrom::now;
  RegionCode node = {};          // with FollowFrom::cursor
  Incarnation incarnation = {};  // likewise
  Offset offset = {};            // likewise
  LaneMask lanes = kAllLanes;
  Filter filter = {};
  bool flash_endpoint = false;  // follow over the node's `flash` endpoint; lanes must then be flash alone
  // Not empty: a cursor that the node keeps for this agent under the name, over restarts of both. FollowFrom::named begins
  // where it stands, at the beginning if there is none. It moves over what was handed over (with events(): read), or by
  // done_with() alone if `cursor_by_hand`. Another follow that begins on it ends this one (conflict).
  std::string cursor_name = {};
  bool cursor_by_hand = false;
  // Recomputes every hash of what is delivered, and across deliveries as far as the filter leaves no gaps. A break ends the
  // follow (feed_broken). Checksums are looked at in any case.
  bool check_chain = true;
  std::uint64_t buffer_bytes = 8ULL * 1024 * 1024;  // on its way or, for events(), not yet read; kMaxDeliverBytes at least
};
// One event, where its bytes lie: all of it is borrowed for the call. What is to be kept is copied: event(), the fields of
// view(), record.body.
struct Delivery {
  const FeedId& feed;
  Offset offset;
  const RecordView& record;
  EventReader& reader;  // behind view()

  // The event with every check of decode_event and without its copies: envelope(), and what there is of report(), resource()
  // and alert(). A refusal says why the bytes are no event to this version, as of a kind it does not know with a body, or of a
  // record that was redacted (record.redacted), whose body is gone.
  [[nodiscard]] Result<const EventReader*> view() const {
    if (auto read = reader.read(record.body); !read) return tl::unexpected(std::move(read.error()));
    return &reader;
  }
  // The same as values of the caller's own.
  [[nodiscard]] Result<Event> event() const { return decode_event(record.body); }
};
struct FollowCallbacks {
  std::function<void(const Followed&)> started = {};
  std::function<void(const Delivery&)> event = {};
  // The cursor moved: all below `next` has been handed over. `caught_up`: it stood at the node's head.
  std::function<void(Offset next, bool caught_up)> progress = {};
  std::function<void(const Refusal&)> refused = {};  // the follow is over
};

class Client {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Client>> open(const Profile& profile, ClientOptions options);
  virtual ~Client() = default;

  // Written to the outbox before it returns. The future holds the node's answer, however long the node is away; a bad event
  // is refused here, before it is stored. Never blocks on the network.
  [[nodiscard]] virtual std::future<Outcome> publish(const Event& event) = 0;
  virtual void publish(const Event& event, std::function<void(const Outcome&)> done) = 0;
  // The same, and then how many other nodes hold it. Until that is known the event stays in the outbox and in the window
  // (max_in_flight). The question ends with this process; the event does not.
  [[nodiscard]] virtual Published publish(const Event& event, const PublishOptions& options) = 0;
  virtual void publish(const Event& event, const PublishOptions& options, std::function<void(const Outcome&)> done,
                       std::function<void(const Result<Replication>&)> replicated) = 0;
  // All of `events`, in order; those without fault are stored together. `done` hears of each, also of the refused.
  virtual void publish(std::span<const Event> events, EachDone done) = 0;
  // The same, but returns before the events are in the outbox: a thread writes them, all that came meanwhile in one commit.
  // Until `done` has heard of an event, nothing is promised of it if the process dies. In the order of the calls among
  // themselves; a publish() may overtake. Without a durable outbox it is publish().
  virtual void publish_async(std::span<const Event> events, EachDone done) = 0;
  // As publish, but once per `key`, for sources that are read again after a crash: event and key enter the outbox in one
  // transaction; while the outbox knows the key, a repeat (also by a later process on the same outbox) stores nothing and
  // its future holds the first one's outcome, answered or still to come. Key and outcome stay until forgotten.
  [[nodiscard]] virtual std::future<Outcome> publish_once(const Event& event, std::string_view key) = 0;
  // Forgets the answered keys that begin with `prefix`.
  virtual void forget_keys(std::string_view prefix) = 0;
  // Events of the outbox without an answer yet.
  [[nodiscard]] virtual std::size_t pending() const = 0;

  // Starts a follow; it resumes by itself after a lost connection, each event once. Returns its id for unfollow.
  [[nodiscard]] virtual Result<SessionId> follow(const FollowOptions& options, FollowCallbacks callbacks) = 0;
  virtual void unfollow(SessionId follow) = 0;
  // The caller is done with all below: the named cursor of a follow that is moved by hand.
  virtual void done_with(SessionId follow, Offset below) = 0;
  // The same as a range, read at the caller's pace (event_stream.h). Options that cannot be make a stream that is over.
  [[nodiscard]] virtual EventStream events(const FollowOptions& options) = 0;

  // Blocks for at most `timeout`. Failure: unreachable or timeout; a node's refusal is the inner result.
  [[nodiscard]] virtual Result<Result<Answer>, Failure<SdkError>> query(const Ask& ask, std::chrono::milliseconds timeout,
                                                                        Offset after_offset = Offset{}) = 0;
  // Waits until the node has welcomed this client.
  [[nodiscard]] virtual bool wait_connected(std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual std::optional<Welcome> welcome() const = 0;
  // Why the node cannot be reached or does not welcome this client, as far as is known (of queries, as the last one found it):
  // `unknown_key` or a refusal of Hello are final until someone mends them (so is `config`: the key belongs to another agent),
  // `busy` covers the network. Nothing if all is well.
  [[nodiscard]] virtual std::optional<Refusal> trouble() const = 0;
  // The node answers and takes no events: its last word (`disk_full`, `busy`), until it takes one. They stay in the
  // outbox and are sent again by themselves.
  [[nodiscard]] virtual std::optional<Refusal> held_back() const = 0;
};

}  // namespace lianxi::sdk
