// The receipts that a conference node keeps: one row for each alert it received, and the cursor behind them, in one SQLite
// file and one transaction. Not synchronised: one thread. Functions throw SQLite::Exception when the disk fails.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "schemas/event.h"

namespace lianxi::conference {

struct AlertReceipt {
  FeedId feed;
  Sequence sequence;
  std::string entity;
  Level level{};
  Status status{};
  std::string headline;
  TimeMs published_at = 0;  // when its node stamped it
  TimeMs received_at = 0;
};
struct Cursor {
  RegionCode node;
  Incarnation incarnation;
  Offset next;
};

class Receipts {
 public:
  explicit Receipts(const std::string& path);
  ~Receipts();
  Receipts(const Receipts&) = delete;
  Receipts& operator=(const Receipts&) = delete;

  [[nodiscard]] std::optional<Cursor> cursor() const;
  // False if there is one already: an alert is received once, however often it is delivered.
  [[nodiscard]] bool add(const AlertReceipt& receipt);
  // Commits what was added, with the cursor behind it. One fsync if anything was added.
  void commit(const Cursor& cursor);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::conference
