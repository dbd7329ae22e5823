// The durable feeds of all regions that this node may hold: a port, and its SQLite form in sqlite_journal.h.
// A folder of self-contained files `000001.db`, each a range of this node's offsets; formats in schemas/README.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "schemas/journal_batch.h"

namespace lianxi::store {

enum class StoreError : std::uint8_t { io, corrupt, wrong_node, newer_version, not_found, full };
using StoreFailure = Failure<StoreError>;
template <class T>
using StoreResult = Result<T, StoreFailure>;

struct JournalIdentity {
  RegionCode region;
  Epoch epoch{1};
  Incarnation incarnation;
};

// What the journal knows at its head; core loads from it.
struct JournalState {
  Offset next_offset{1};
  FeedVector heads;
  Ordinal last_ordinal;  // over the own region's feeds of the current epoch
  Hlc last_time;
  std::vector<SessionRow> sessions;
  std::vector<AnswerRun> answers;
  std::vector<CursorRow> cursors;
  std::optional<Fence> fence;
  std::vector<Quarantined> quarantined;
  std::vector<Beginning> beginnings;  // of feeds that are not held from their first event on
};

// A stored segment as read back: `bytes` parse with Segment::parse.
struct JournalSegment {
  Offset first_offset;
  Bytes bytes;
  std::optional<Seal> seal;
};

// The writer. One thread; the only connection that writes and checkpoints the active file.
class Journal {
 public:
  virtual ~Journal() = default;
  [[nodiscard]] virtual const JournalIdentity& identity() const = 0;
  [[nodiscard]] virtual StoreResult<JournalState> load() const = 0;
  // One transaction, one fsync. After an error the process must end and restart.
  [[nodiscard]] virtual StoreResult<void> commit(const JournalBatch& batch) = 0;
  // Work that nobody waits for (checkpoint of files left behind); any thread, one at a time. Returns at once if none.
  [[nodiscard]] virtual StoreResult<void> maintain() = 0;
  // True if maintain() has something to do. Any thread.
  [[nodiscard]] virtual bool wants_maintenance() const = 0;
  // Bytes free where the journal lives.
  [[nodiscard]] virtual StoreResult<std::uint64_t> free_bytes() const = 0;
};

// Reads committed segments; own read-only connections, one object per thread. Never writes or checkpoints.
class JournalReader {
 public:
  virtual ~JournalReader() = default;
  // Segments holding offsets >= from, in order, until `max_bytes` are exceeded (at least one, if there is one).
  // The first may begin below `from`.
  [[nodiscard]] virtual StoreResult<std::vector<JournalSegment>> read(Offset from, std::size_t max_bytes) = 0;
  // The lowest offset whose event is not covered by `have` (positions of feeds); next_offset if all are.
  [[nodiscard]] virtual StoreResult<Offset> first_beyond(const FeedVector& have) = 0;
  [[nodiscard]] virtual StoreResult<Offset> next_offset() = 0;
  // The first offset that is still here; 1 where nothing is ever taken away.
  [[nodiscard]] virtual StoreResult<Offset> first_offset() { return Offset(1); }
};

}  // namespace lianxi::store
