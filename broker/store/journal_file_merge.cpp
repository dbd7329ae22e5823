// Joining what was committed in small pieces, once a file is left behind.
#include "broker/store/journal_file.h"
#include "schemas/limits.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kSmallBytes = 8 * 1024;         // a segment up to so much is worth joining
constexpr std::size_t kMergedBytes = 128 * 1024;      // and joined ones grow up to so much
constexpr std::size_t kMergeStepBytes = 1024 * 1024;  // of one transaction
static_assert(kMergedBytes <= kMaxSegmentBytes);

struct Piece {
  std::uint64_t offset = 0, count = 0;
  std::int64_t feed = 0;
  std::uint64_t first_sequence = 0, bytes = 0;
  bool sealed = false;

  [[nodiscard]] bool goes_on_in(const Piece& next) const {
    return feed == next.feed && offset + count == next.offset && first_sequence + count == next.first_sequence;
  }
};
using Pieces = std::vector<Piece>;

// Runs of small neighbours, each up to a seal.
std::vector<Pieces> runs_of(SQLite::Database& db) {
  std::vector<Pieces> runs;
  Pieces open;
  std::uint64_t bytes = 0;
  const auto close = [&] {
    while (!open.empty() && !open.back().sealed) open.pop_back();
    if (open.size() > 1) runs.push_back(open);
    open.clear();
    bytes = 0;
  };
  SQLite::Statement select(db,
                           "SELECT s.offset, s.count, s.feed, s.first_sequence, length(s.bytes), l.signature IS NOT NULL"
                           " FROM segment s LEFT JOIN seal l ON l.feed = s.feed AND l.sequence = s.first_sequence + s.count - 1"
                           " ORDER BY s.offset");
  for (Run row(select); row.next();) {
    const Piece piece{row.number_u64(0), row.number_u64(1), row.number(2),
                      row.number_u64(3), row.number_u64(4), row.number(5) != 0};
    if (!open.empty() && (!open.back().goes_on_in(piece) || bytes + piece.bytes > kMergedBytes)) close();
    if (piece.bytes > kSmallBytes) {
      close();
      continue;
    }
    open.push_back(piece);
    bytes += piece.bytes;
  }
  close();
  return runs;
}

// The run as one segment; nothing if a piece cannot be read: damage stays where it is, for the proof to find.
std::optional<Bytes> joined(SQLite::Statement& select, const Pieces& run) {
  std::optional<SegmentWriter> writer;
  for (const Piece& piece : run) {
    Run row(select);
    if (!row.put(piece.offset).next()) return std::nullopt;
    const auto segment = Segment::parse(row.blob(0));
    if (!segment || segment->records().size() != piece.count || segment->info().first_sequence.value != piece.first_sequence)
      return std::nullopt;
    const SegmentInfo& info = segment->info();
    if (!writer) {
      writer.emplace(info.feed, FeedHead{Sequence(piece.first_sequence - 1), info.previous}, Offset(piece.offset));
    } else if (info.previous != writer->head().hash) {
      return std::nullopt;
    }
    for (const RecordView& record : segment->records()) writer->append(record);
  }
  return std::move(*writer).finish();
}

}  // namespace

std::size_t JournalFile::merge_small() {
  if (merged_) return 0;
  merged_ = true;
  const std::vector<Pieces> runs = runs_of(*db_);
  if (runs.empty()) return 0;
  SQLite::Statement bytes(*db_, "SELECT bytes FROM segment WHERE offset = ?");
  SQLite::Statement widen(*db_, "UPDATE segment SET count = ?, bytes = ? WHERE offset = ?");
  SQLite::Statement drop(*db_, "DELETE FROM segment WHERE offset > ? AND offset <= ?");
  SQLite::Statement unseal(*db_, "DELETE FROM seal WHERE feed = ? AND sequence >= ? AND sequence < ?");
  SQLite::Statement reseal(*db_, "UPDATE seal SET offset = ? WHERE feed = ? AND sequence = ?");
  std::size_t gone = 0;
  for (auto at = runs.begin(); at != runs.end();) {
    Transaction transaction(*db_);
    for (std::size_t written = 0; at != runs.end() && written < kMergeStepBytes; ++at) {
      const Piece& first = at->front();
      const Piece& last = at->back();
      const std::optional<Bytes> whole = joined(bytes, *at);
      if (!whole) continue;
      const std::uint64_t last_sequence = last.first_sequence + last.count - 1;
      Run(drop).put(first.offset).put(last.offset).exec();
      Run(widen).put(last.offset + last.count - first.offset).put(BytesView(*whole)).put(first.offset).exec();
      Run(unseal).put(first.feed).put(first.first_sequence).put(last_sequence).exec();
      Run(reseal).put(first.offset).put(first.feed).put(last_sequence).exec();
      written += whole->size();
      gone += at->size() - 1;
    }
    transaction.commit();
  }
  return gone;
}

}  // namespace lianxi::store
