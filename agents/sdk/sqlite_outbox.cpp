#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "agents/sdk/file_lock.h"
#include "agents/sdk/once_keys.h"

namespace lianxi::sdk {
namespace {

constexpr int kOutboxVersion = 1;
constexpr int kBusyMs = 5'000;

constexpr const char* kSchema = R"sql(
CREATE TABLE session (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  id     INTEGER NOT NULL,               -- 64 bits, as a signed number
  agent  TEXT NOT NULL,
  region INTEGER NOT NULL
);
CREATE TABLE lane (
  lane             INTEGER PRIMARY KEY,
  last             INTEGER NOT NULL,     -- highest sequence given
  answered_through INTEGER NOT NULL      -- every answer up to here has come
);
CREATE TABLE outbox (
  ticket   INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: keys outlive their events
  lane     INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  bytes    BLOB NOT NULL,
  UNIQUE (lane, sequence)
);
)sql";

std::int64_t as_int(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// Throws SQLite::Exception.
SQLite::Database open_writer(const std::string& path) {
  SQLite::Database writer(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs);
  writer.exec("PRAGMA journal_mode=WAL");
  writer.exec("PRAGMA synchronous=FULL");
  const int version = writer.execAndGet("PRAGMA user_version").getInt();
  if (version > kOutboxVersion) throw SQLite::Exception("it was written by a newer version of this program");
  if (version == 0) {
    SQLite::Transaction transaction(writer);
    writer.exec(kSchema);
    writer.exec(kOnceKeysSchema);
    writer.exec("PRAGMA user_version=" + std::to_string(kOutboxVersion));
    transaction.commit();
  }
  return writer;
}

class SqliteOutbox final : public Outbox {
 public:
  // Throws SQLite::Exception.
  SqliteOutbox(const std::string& path, std::unique_ptr<FileLock> lock)
      : lock_(std::move(lock)),
        writer_(open_writer(path)),
        reader_(path, SQLite::OPEN_READONLY, kBusyMs),
        keys_(writer_),
        insert_(writer_, "INSERT INTO outbox (ticket, lane, sequence, bytes) VALUES (?, ?, ?, ?)"),
        upsert_lane_(writer_,
                     "INSERT INTO lane (lane, last, answered_through) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT (lane) DO UPDATE SET last = ?2, answered_through = ?3"),
        forget_(writer_, "DELETE FROM outbox WHERE lane = ? AND sequence <= ?"),
        load_(reader_, "SELECT ticket, sequence, bytes FROM outbox WHERE lane = ? AND sequence >= ? ORDER BY sequence LIMIT ?") {}
  ~SqliteOutbox() override { flush(); }

  // Takes the file's session, or begins `fresh` in a new file. A refusal if it is another agent's. Throws SQLite::Exception.
  Result<void> claim(const std::string& path, const AgentId& agent, RegionCode node, SessionId fresh) {
    SQLite::Statement session(writer_, "SELECT id, agent, region FROM session");
    if (!session.executeStep()) {
      SQLite::Statement insert(writer_, "INSERT INTO session (one, id, agent, region) VALUES (1, ?, ?, ?)");
      insert.bind(1, as_int(fresh.value));
      insert.bind(2, agent.text());
      insert.bind(3, static_cast<std::int64_t>(node.value));
      insert.exec();
      session_ = fresh;
      return {};
    }
    const std::string owner = session.getColumn(1).getString();
    const auto region = static_cast<std::uint32_t>(session.getColumn(2).getInt64());
    if (owner != agent.text() || region != node.value) {
      return refuse(RefusalCode::config, "outbox",
                    path + " holds events of " + owner + " for node " + std::to_string(region) +
                        "; give every agent and node an outbox file of its own");
    }
    session_ = SessionId(static_cast<std::uint64_t>(session.getColumn(0).getInt64()));
    SQLite::Statement lanes(writer_, "SELECT lane, last, answered_through FROM lane");
    while (lanes.executeStep()) {
      LaneState& state = lanes_.at(static_cast<std::size_t>(lanes.getColumn(0).getInt()));
      state.last = static_cast<std::uint64_t>(lanes.getColumn(1).getInt64());
      state.answered = static_cast<std::uint64_t>(lanes.getColumn(2).getInt64());
      state.written = state.answered.load();
    }
    first_ticket_ = static_cast<Ticket>(writer_.execAndGet("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence").getInt64());
    keyed_ = keys_.unanswered();
    return {};
  }

  Ticket first_ticket() const override { return first_ticket_; }
  bool in_memory() const override { return false; }

  Result<void> append(std::span<const NewEvent> events) override {
    Waiting mine{events, nullptr, false, Appended{}};
    enter(mine);
    if (!mine.result) return tl::unexpected(mine.result.error());
    return {};
  }
  Result<Appended> append_once(const NewEvent& event, const std::string& key) override {
    Waiting mine{std::span(&event, 1), &key, false, Appended{event.ticket, false, std::nullopt}};
    enter(mine);
    return mine.result;
  }
  std::optional<Outcome> outcome_of(const std::string& key) override {
    std::optional<OnceKeys::Known> known;
    (void)exclusive([&] { return guarded([&] { known = keys_.find(key); }); });
    if (!known) return std::nullopt;
    if (known->outcome) return known->outcome;
    const std::scoped_lock lock(keyed_mutex_);
    const auto found = outcomes_.find(known->ticket);
    return found == outcomes_.end() ? std::nullopt : std::optional(found->second);
  }
  void forget_keys(const std::string& prefix) override {
    (void)exclusive([&]() -> Result<void> {
      if (auto written = commit({}); !written) return written;
      return guarded([&] { keys_.forget(prefix); });
    });
  }

  SessionId session() const override { return session_; }
  Sequence last(Lane lane) const override { return Sequence(of(lane).last.load()); }
  Sequence answered_through(Lane lane) const override { return Sequence(of(lane).answered.load()); }
  Sequence durably_answered(Lane lane) const override { return Sequence(of(lane).written.load()); }

  Result<void> load(Lane lane, Sequence from, std::size_t max_events, std::size_t max_bytes,
                    std::vector<OutboxItem>& items) override {
    items.clear();
    loaded_.clear();
    std::vector<std::size_t> begins;
    auto read = guarded([&] {
      load_.bind(1, static_cast<int>(lane));
      load_.bind(2, as_int(from.value));
      load_.bind(3, static_cast<std::int64_t>(max_events));
      while (load_.executeStep()) {
        const SQLite::Column blob = load_.getColumn(2);
        if (!items.empty() && loaded_.size() + static_cast<std::size_t>(blob.getBytes()) > max_bytes) break;
        const auto* data = static_cast<const std::uint8_t*>(blob.getBlob());
        begins.push_back(loaded_.size());
        loaded_.insert(loaded_.end(), data, data + blob.getBytes());
        items.push_back({static_cast<Ticket>(load_.getColumn(0).getInt64()),
                         Sequence(static_cast<std::uint64_t>(load_.getColumn(1).getInt64())),
                         {}});
      }
    });
    load_.tryReset();
    if (!read) return read;
    begins.push_back(loaded_.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i].event = BytesView(loaded_).subspan(begins[i], begins[i + 1] - begins[i]);
    }
    return {};
  }

  void settle(std::span<const Ticket> tickets, const Outcome& first) override {
    const std::scoped_lock lock(keyed_mutex_);
    for (std::size_t i = 0; i < tickets.size() && !keyed_.empty(); ++i) {
      if (keyed_.erase(tickets[i]) > 0) outcomes_.emplace(tickets[i], outcome_after(first, i));
    }
  }
  void answered(Lane lane, Sequence through) override { of(lane).answered = through.value; }
  void flush() override {
    bool dirty = false;
    for (const LaneState& lane : lanes_) dirty = dirty || lane.answered != lane.written;
    if (dirty) (void)exclusive([&] { return commit({}); });
  }

  Result<void> reopen(SessionId fresh, const std::vector<Ticket>& dropped) override {
    return exclusive([&] { return renumber(fresh, dropped); });
  }

 private:
  struct Waiting {
    std::span<const NewEvent> events;
    const std::string* key = nullptr;
    bool done = false;
    Result<Appended> result;
  };
  struct LaneState {
    std::atomic<std::uint64_t> last{0};
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> written{0};  // `answered` as it stands in the file, which holds no event up to it
  };
  LaneState& of(Lane lane) { return lanes_.at(static_cast<std::size_t>(lane)); }
  const LaneState& of(Lane lane) const { return lanes_.at(static_cast<std::size_t>(lane)); }

  // The first caller commits for all who arrive while it does.
  void enter(Waiting& mine) {
    std::unique_lock lock(mutex_);
    queue_.push_back(&mine);
    while (!mine.done) {
      if (writing_) {
        written_.wait(lock);
        continue;
      }
      writing_ = true;
      const std::vector<Waiting*> batch = std::exchange(queue_, {});
      lock.unlock();
      const Result<void> result = commit(batch);
      lock.lock();
      for (Waiting* waiting : batch) {
        waiting->done = true;
        if (!result) waiting->result = tl::unexpected(result.error());
      }
      writing_ = false;
      written_.notify_all();
    }
  }

  template <class Work>
  Result<void> guarded(Work&& work) {
    try {
      work();
      return {};
    } catch (const std::exception& error) {
      return refuse(RefusalCode::disk_full, "outbox", std::string("the outbox cannot be used: ") + error.what());
    }
  }
  // Runs `work` while nobody else uses the writing connection.
  template <class Work>
  Result<void> exclusive(Work&& work) {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [&] { return !writing_; });
    writing_ = true;
    lock.unlock();
    Result<void> result = work();
    lock.lock();
    writing_ = false;
    written_.notify_all();
    return result;
  }

  // One transaction: answers that came, then the events of `batch`.
  Result<void> commit(const std::vector<Waiting*>& batch) {
    std::array<std::uint64_t, kLaneCount> last{};
    std::array<std::uint64_t, kLaneCount> answered{};
    std::unordered_map<Ticket, Outcome> outcomes;
    std::vector<Ticket> keyed;
    auto done = guarded([&] {
      for (std::size_t i = 0; i < kLaneCount; ++i) {
        answered.at(i) = lanes_.at(i).answered;  // before the outcomes: they are settled first
        last.at(i) = lanes_.at(i).last;
      }
      outcomes = outcomes_to_write();
      SQLite::Transaction transaction(writer_);
      for (const auto& [ticket, outcome] : outcomes) keys_.write(ticket, outcome);
      for (Waiting* waiting : batch) insert(*waiting, last, keyed);
      for (std::size_t i = 0; i < kLaneCount; ++i) {
        if (answered.at(i) != lanes_.at(i).written) forget_through(i, answered.at(i));
        if (answered.at(i) != lanes_.at(i).written || last.at(i) != lanes_.at(i).last) write_lane(i, last.at(i), answered.at(i));
      }
      remember(keyed);  // before the I/O thread can see the events and settle them
      transaction.commit();
    });
    const std::scoped_lock lock(keyed_mutex_);
    if (!done) {
      for (Ticket ticket : keyed) keyed_.erase(ticket);
      return done;
    }
    for (const auto& [ticket, outcome] : outcomes) outcomes_.erase(ticket);
    for (std::size_t i = 0; i < kLaneCount; ++i) {
      lanes_.at(i).written = answered.at(i);
      lanes_.at(i).last = last.at(i);
    }
    return {};
  }

  void insert(Waiting& waiting, std::array<std::uint64_t, kLaneCount>& last, std::vector<Ticket>& keyed) {
    if (waiting.key != nullptr) {
      if (auto known = keys_.find(*waiting.key)) {
        waiting.result = Appended{known->ticket, true, known->outcome};
        return;
      }
      keys_.insert(*waiting.key, waiting.events.front().ticket);
      keyed.push_back(waiting.events.front().ticket);
    }
    for (const NewEvent& event : waiting.events) {
      const auto lane = static_cast<std::size_t>(event.lane);
      insert_.bind(1, as_int(event.ticket));
      insert_.bind(2, static_cast<int>(lane));
      insert_.bind(3, as_int(++last.at(lane)));
      insert_.bindNoCopy(4, event.bytes.data(), static_cast<int>(event.bytes.size()));
      run(insert_);
    }
  }

  void remember(const std::vector<Ticket>& keyed) {
    const std::scoped_lock lock(keyed_mutex_);
    keyed_.insert(keyed.begin(), keyed.end());
  }
  std::unordered_map<Ticket, Outcome> outcomes_to_write() {
    const std::scoped_lock lock(keyed_mutex_);
    return outcomes_;
  }

  Result<void> renumber(SessionId fresh, const std::vector<Ticket>& dropped) {
    if (auto written = commit({}); !written) return written;
    std::array<std::uint64_t, kLaneCount> last{};
    auto done = guarded([&] {
      SQLite::Transaction transaction(writer_);
      SQLite::Statement forget_one(writer_, "DELETE FROM outbox WHERE ticket = ?");
      for (Ticket ticket : dropped) {
        forget_one.bind(1, as_int(ticket));
        run(forget_one);
      }
      for (std::size_t i = 0; i < kLaneCount; ++i) {
        last.at(i) = renumber_lane(i);
        write_lane(i, last.at(i), 0);
      }
      SQLite::Statement session(writer_, "UPDATE session SET id = ?");
      session.bind(1, as_int(fresh.value));
      session.exec();
      transaction.commit();
    });
    if (!done) return done;
    session_ = fresh;
    for (std::size_t i = 0; i < kLaneCount; ++i) {
      lanes_.at(i).last = last.at(i);
      lanes_.at(i).answered = 0;
      lanes_.at(i).written = 0;
    }
    return {};
  }

  std::uint64_t renumber_lane(std::size_t lane) {
    std::vector<std::int64_t> tickets;
    SQLite::Statement select(writer_, "SELECT ticket FROM outbox WHERE lane = ? ORDER BY sequence");
    select.bind(1, static_cast<int>(lane));
    while (select.executeStep()) tickets.push_back(select.getColumn(0).getInt64());
    // New numbers are never above the old ones, so going upward never meets a number still in use.
    SQLite::Statement update(writer_, "UPDATE outbox SET sequence = ? WHERE ticket = ?");
    std::uint64_t next = 0;
    for (std::int64_t ticket : tickets) {
      update.bind(1, as_int(++next));
      update.bind(2, ticket);
      run(update);
    }
    return next;
  }

  void forget_through(std::size_t lane, std::uint64_t through) {
    forget_.bind(1, static_cast<int>(lane));
    forget_.bind(2, as_int(through));
    run(forget_);
  }
  void write_lane(std::size_t lane, std::uint64_t last, std::uint64_t answered) {
    upsert_lane_.bind(1, static_cast<int>(lane));
    upsert_lane_.bind(2, as_int(last));
    upsert_lane_.bind(3, as_int(answered));
    run(upsert_lane_);
  }

  std::unique_ptr<FileLock> lock_;
  SQLite::Database writer_;
  SQLite::Database reader_;  // so that the I/O thread does not wait for another thread's fsync; never checkpoints
  OnceKeys keys_;
  SQLite::Statement insert_, upsert_lane_, forget_, load_;
  SessionId session_;
  std::array<LaneState, kLaneCount> lanes_;
  Ticket first_ticket_ = 1;
  Bytes loaded_;  // what load() lent last

  std::mutex keyed_mutex_;
  std::unordered_set<Ticket> keyed_;              // keyed events without an answer
  std::unordered_map<Ticket, Outcome> outcomes_;  // of keyed events, not yet in the file

  std::mutex mutex_;
  std::condition_variable written_;
  bool writing_ = false;  // somebody uses the writing connection
  std::vector<Waiting*> queue_;
};

}  // namespace

Result<std::unique_ptr<Outbox>> open_sqlite_outbox(const std::string& path, const AgentId& agent, RegionCode node,
                                                   SessionId fresh) {
  try {
    auto lock = std::make_unique<FileLock>(path + ".lock");
    if (!lock->opened()) return refuse(RefusalCode::config, "outbox", path + " cannot be written: check its folder");
    if (!lock->take()) {
      return refuse(RefusalCode::config, "outbox", path + " is in use by another client; give each client an outbox of its own");
    }
    auto outbox = std::make_unique<SqliteOutbox>(path, std::move(lock));
    if (auto claimed = outbox->claim(path, agent, node, fresh); !claimed) return tl::unexpected(claimed.error());
    return outbox;
  } catch (const std::exception& error) {
    return refuse(RefusalCode::config, "outbox", path + ": " + error.what());
  }
}

}  // namespace lianxi::sdk
