// Mobilisations: a set of messages; what they add up to is worked out again for each thread that was touched. Holdings count what
// the owner's own node has said, and are outside the digest but for their thread's row.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "broker/store/projections/row_cache.h"
#include "schemas/mobilisation_thread.h"

namespace lianxi::store {

// A thread's messages with their bodies, as a question or a projection adds them up.
struct StoredThread {
  struct Message {
    RegionCode region;
    Version version = 0;
    Hlc time;
    std::string publisher;
    Event event;
  };
  std::vector<Message> messages;
  [[nodiscard]] Thread add_up(RegionCode home) const;
  // Of what began it; of whatever came of it while that has not.
  [[nodiscard]] const Envelope* envelope(const Thread& thread) const;
};

class MobilisationProjection {
 public:
  explicit MobilisationProjection(SQLite::Database& db);
  void apply(const Applied& applied);
  // Nothing of the source at or before `cut` counts any more.
  void drop(const Source& source, Version cut, AudienceRow& audience);
  // Works out the threads that were touched. `held`: what is held of a resource has changed.
  using HeldVisitor = std::function<void(const std::string& resource, Status, std::int64_t milli, std::optional<ResourceState>)>;
  void flush(const HeldVisitor& held);
  // The transaction did not come about.
  void forget() {
    touched_.clear();
    moved_.clear();
  }

 private:
  struct Touched {
    RowKey key;
    AudienceRow* audience = nullptr;
  };
  [[nodiscard]] std::int64_t row_of(const Applied& applied);
  void write(std::int64_t id, const Touched& of);
  void sum(const std::string& resource, Status status, const HeldVisitor& held);

  SQLite::Database& db_;
  SQLite::Statement find_, insert_, message_, hash_, messages_, update_, holding_, old_holdings_, no_holdings_, delete_,
      holdings_of_, put_sum_, no_sum_;
  std::map<std::int64_t, Touched> touched_;
  std::set<std::pair<std::string, Status>> moved_;  // resources
};

// Rows of: region, version, time, publisher, event_bytes.
[[nodiscard]] StoredThread read_thread(Run& run);

}  // namespace lianxi::store
