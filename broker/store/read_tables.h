// What the questions to the view share: one read-only connection, its statements, the names of audiences, and the bound on
// the time of a transaction. Throws Broken or SQLite::Exception.
#pragma once

#include <concepts>
#include <functional>
#include <unordered_map>
#include <utility>

#include "broker/store/read_view.h"
#include "broker/store/sqlite.h"
#include "schemas/limits.h"

namespace lianxi::store {

class ReadTables {
 public:
  explicit ReadTables(const ViewOptions& options);

  // Everything asked while it lives sees one state of the view, the one at offset(); beyond kMaxReadTransactionMs SQLite gives
  // up.
  class Snapshot {
   public:
    explicit Snapshot(ReadTables& tables);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

   private:
    void begin();
    void end() noexcept;
    ReadTables& tables_;
  };

  // While it lives the snapshot's time is not bounded: for what makes something of whole tables, once.
  class Unbounded {
   public:
    explicit Unbounded(ReadTables& tables) : tables_(tables), before_(std::exchange(tables.deadline_ms_, 0)) {}
    ~Unbounded() { tables_.deadline_ms_ = before_ == 0 ? 0 : vfs_now(tables_) + kMaxReadTransactionMs; }
    Unbounded(const Unbounded&) = delete;
    Unbounded& operator=(const Unbounded&) = delete;

   private:
    static std::int64_t vfs_now(const ReadTables& tables);
    ReadTables& tables_;
    std::int64_t before_;
  };

  // Prepared once a text; of a literal its address stands for it.
  struct Literal {
    consteval Literal(const char* sql) : text(sql) {}  // NOLINT(google-explicit-constructor)
    const char* text;
  };
  [[nodiscard]] SQLite::Statement& statement(Literal literal);
  template <std::same_as<std::string> Text>
  [[nodiscard]] SQLite::Statement& statement(const Text& sql) {
    return composed(sql);
  }
  // Where the view stood in the last snapshot.
  [[nodiscard]] Offset offset() const { return offset_; }
  [[nodiscard]] SQLite::Database& db() { return *db_; }
  [[nodiscard]] const std::map<std::int64_t, Audience>& audiences() const { return audiences_; }
  [[nodiscard]] const Audience& audience(std::int64_t row) const;
  // Row of `conference`; 0 if it has none yet.
  [[nodiscard]] std::int64_t conference() const;

 private:
  static int give_up(void* tables);
  [[nodiscard]] SQLite::Statement& composed(const std::string& sql);

  std::string vfs_;
  Database db_;
  std::unordered_map<const char*, SQLite::Statement> literals_;
  std::unordered_map<std::string, SQLite::Statement> statements_;
  Offset offset_;
  std::map<std::int64_t, Audience> audiences_;
  std::int64_t deadline_ms_ = 0;
};

// How wide an audience is: local, a group, conference. Where an entity has rows of several audiences, whoever may see the
// narrower one gets that; rows that he may not see, and removed ones, do not hide a wider one.
[[nodiscard]] int width_of(const Audience& audience);
[[nodiscard]] bool is_narrower(const Audience& a, const Audience& b);  // a total order: groups among themselves by name

[[nodiscard]] PlaceCode place_of(const std::string& stored);
// Codes with all below: low <= code < high. Without a place, every code.
struct PlaceRange {
  std::string low, high;
};
[[nodiscard]] PlaceRange range_of(const std::optional<PlaceCode>& place);

// For what strikes a whole place: it lies at or below the asked one, or covers it. Without a place, always.
[[nodiscard]] bool concerns(const std::optional<PlaceCode>& asked, const PlaceCode& place);

[[nodiscard]] std::size_t limit_of(std::uint32_t asked);  // 0: the default; never above kMaxQueryLimit

[[nodiscard]] AlertRows read_alerts(ReadTables& tables, const AskAlerts& ask, TimeMs now, const ReadView::Admits& admits);
[[nodiscard]] std::vector<Offset> read_events_of(ReadTables& tables, const std::string& entity, std::size_t most);
// `members`: who is meant where a request names nobody.
[[nodiscard]] MobilisationRows read_mobilisations(ReadTables& tables, const AskMobilisations& ask, TimeMs now,
                                                  const std::vector<RegionCode>& members, const ReadView::Admits& admits);
[[nodiscard]] IncidentRows read_incidents(ReadTables& tables, const AskIncidents& ask, const ReadView::Admits& admits);

// A retention's feed, with the row of its audience.
struct RetentionQuestion {
  const FeedId& feed;
  std::int64_t audience = 0;
  TimeMs now = 0;
};
[[nodiscard]] RetentionSurvey read_retention(ReadTables& tables, const FeedId& feed, Ordinal through, TimeMs now);
// Lowers `cut` until every active alert stays, what it refers to, and whatever ends an alert that stays (read_alerts.cpp).
void hold_alerts(ReadTables& tables, const RetentionQuestion& ask, std::int64_t& cut, RetentionSurvey& survey);
// Likewise until every message of a mobilisation that is not over stays, and of one that is all or none (read_mobilisations.cpp).
void hold_mobilisations(ReadTables& tables, const RetentionQuestion& ask, std::int64_t& cut, RetentionSurvey& survey);

}  // namespace lianxi::store
