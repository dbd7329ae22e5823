// The SQLite tables that the journal adds up to. The writer: one object, one thread. Rows and the offset they stand at
// change in one transaction (WAL, synchronous=NORMAL); what is missing is replayed from the journal at start.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "broker/store/journal.h"
#include "broker/store/map_feed.h"
#include "schemas/queries.h"
#include "schemas/retained.h"

namespace lianxi::store {

inline constexpr std::uint32_t kViewVersion = 5;  // raised when tables or a projection's outcome change: the view is rebuilt

inline constexpr std::size_t kTakeBytes = 1024 * 1024;                // of segments read at a time
inline constexpr std::size_t kViewTransactionBytes = 8 * kTakeBytes;  // of segments, while there is a backlog

// A stored segment, borrowed.
struct SegmentView {
  Offset first_offset;
  BytesView bytes;
};

struct ViewOptions {
  std::string path;  // view.db
  std::string vfs;
  std::shared_ptr<MapFeed> map = {};  // between a view and its reader, so that the reader need not look for what changed
};

class View {
 public:
  virtual ~View() = default;
  // All below is applied and committed.
  [[nodiscard]] virtual Offset offset() const = 0;
  // All below is taken: where the next segments begin.
  [[nodiscard]] virtual Offset taken() const = 0;
  // Applies stored segments in offset order, in a transaction that stays open for more; those below taken() are skipped. Events
  // that cannot be read (unknown kind, redacted, damaged by their author) leave no row and are counted. After a failure the
  // view stands at offset() again.
  [[nodiscard]] virtual StoreResult<void> take(std::span<const SegmentView> segments) = 0;
  [[nodiscard]] StoreResult<void> take(const std::vector<JournalSegment>& segments);
  // Ends the transaction: rows and offset() together.
  [[nodiscard]] virtual StoreResult<void> commit() = 0;
  // take() and commit().
  [[nodiscard]] StoreResult<void> apply(const std::vector<JournalSegment>& segments);
  // How many events were taken since this was last asked, by whose feed, lane and kind; unknown: what could not be read.
  struct Count {
    RegionCode region;
    Lane lane{};
    Kind kind{};
    std::uint64_t events = 0;
  };
  [[nodiscard]] virtual std::vector<Count> counts() = 0;
  // Retentions taken since this was last asked whose digest is not that of what stands here: their region's view, or this one,
  // is not what the events add up to. One sentence each, for a person.
  [[nodiscard]] virtual std::vector<std::string> mismatches() = 0;
  // Where feeds may begin for who holds nothing of them: what was taken since this was last asked, at first of all feeds.
  [[nodiscard]] virtual std::vector<RetainedFeed> retained() = 0;
  // Own alerts for LoadedState: entity -> core::alert_content_hash is computed by the caller from the event's bytes.
  using AlertVisitor = std::function<void(const std::string& entity, BytesView event)>;
  [[nodiscard]] virtual StoreResult<void> each_alert(RegionCode region, const AlertVisitor& visit) const = 0;
  // The region's own resources, of each audience: what promises are held against.
  struct StockOf {
    std::string entity, audience, unit;
    Status status{};
    ResourceType type{};
    ResourceState record_state{}, changed_state{};
    // Versions are (epoch, ordinal) as one number, 0: none.
    std::int64_t record = 0, removed = 0, record_state_version = 0, state_version = 0, quantity_version = 0;
    std::int64_t quantity_milli = 0;
    TimeMs valid_from = 0, valid_until = 0;  // 0: unbounded
  };
  using StockVisitor = std::function<void(const StockOf&)>;
  [[nodiscard]] virtual StoreResult<void> each_stock(RegionCode region, const StockVisitor& visit) const = 0;
  // What the region has let go of, by lane and audience: all with a version up to `through`.
  struct CutOf {
    std::string audience;
    Lane lane{};
    std::int64_t through = 0;
  };
  using CutVisitor = std::function<void(const CutOf&)>;
  [[nodiscard]] virtual StoreResult<void> each_cut(RegionCode region, const CutVisitor& visit) const = 0;
  // Every message of the mobilisations that are not over, of every region; and the names of those that are.
  struct MessageOf {
    RegionCode region;
    std::int64_t version = 0;
    Hlc time;
    BytesView event;  // borrowed for the call
  };
  using MobilisationVisitor = std::function<void(const MessageOf&)>;
  using FinishedVisitor = std::function<void(const std::string& entity, Status)>;
  [[nodiscard]] virtual StoreResult<void> each_mobilisation(const MobilisationVisitor& visit,
                                                            const FinishedVisitor& over) const = 0;
};

// `incarnation` ties the view to its journal: a view of another journal, or of another version, is rebuilt from nothing.
[[nodiscard]] StoreResult<std::unique_ptr<View>> open_view(const ViewOptions& options, const JournalIdentity& journal);

// Until the view stands at the journal's head; about `max_bytes` of segments a transaction.
[[nodiscard]] StoreResult<void> catch_up(View& view, JournalReader& journal, std::size_t max_bytes);

}  // namespace lianxi::store
