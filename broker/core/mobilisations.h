// The mobilisations that this node may still decide in: what peers ask for, what this region asks for, and what it has promised
// of its own. Promises are this region's own words alone, so that no peer's message, however absurd, moves its stock; peers'
// messages say what may be answered, and are bounded. Of threads that are over the last ones are kept, and the names of the
// others. One thread.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/stock.h"
#include "schemas/limits.h"
#include "schemas/mobilisation_thread.h"

namespace lianxi::core {

inline constexpr std::size_t kKeptFinished = 1'024;  // threads that are over and still remembered whole

struct ThreadKey {
  Status status{};
  std::string entity;
  auto operator<=>(const ThreadKey&) const = default;
};

// What is kept of a message: what the rules look at.
struct HeardMessage {
  RegionCode region;
  std::int64_t version = 0;
  Hlc time;
  Mobilisation message;
};
[[nodiscard]] Mobilisation without_texts(Mobilisation message);

struct KnownThread {
  RegionCode home;
  Audience audience;  // of its first message that came
  std::vector<HeardMessage> said;

  [[nodiscard]] std::vector<ThreadSaid> views() const;
  // Region 0: any.
  [[nodiscard]] const HeardMessage* find(RegionCode region, std::string_view message_id) const;
  [[nodiscard]] std::size_t weight(RegionCode region) const;  // messages and items
};

// What this region has promised of one resource in one thread for one item.
struct Promise {
  std::int64_t quantity_milli = 0;
  MobilisationState state{};
  bool lapses = false;
  TimeMs until = 0;
  [[nodiscard]] bool holds_at(TimeMs now) const { return !lapses || until > now; }
};
using Promises = std::map<std::pair<std::string, std::string>, Promise>;  // by resource and item
[[nodiscard]] Promises promises_of(const Thread& thread, RegionCode own);

// What is held of a resource, beside one thread.
struct HeldOf {
  std::int64_t quantity_milli = 0;
  std::size_t count = 0;
  std::string holders;  // for a person: who holds how much, the first ones
};

class Mobilisations {
 public:
  explicit Mobilisations(RegionCode own = {}) : own_(own) {}

  // Also of peers and of this region's former epochs, in any order.
  void remember(const Envelope& envelope, HeardMessage heard);
  [[nodiscard]] const KnownThread* find(const ThreadKey& key) const;
  [[nodiscard]] bool finished(const ThreadKey& key) const;
  // This region may say no more before some of its threads are over.
  [[nodiscard]] bool full(std::size_t items) const;
  [[nodiscard]] HeldOf held(std::string_view resource, Status status, TimeMs now, const ThreadKey* beside = nullptr) const;
  void load_finished(ThreadKey key) { finish(key); }
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }

 private:
  void count_promises(const ThreadKey& key, const Promises& now);
  [[nodiscard]] bool is_done(const ThreadKey& key, const Thread& sum) const;
  void finish(const ThreadKey& key);
  void forget(const ThreadKey& key);
  // Of threads that a peer began and this region has promised nothing in, the oldest.
  void make_room(RegionCode peer);

  RegionCode own_;
  std::map<ThreadKey, KnownThread> threads_;
  std::map<RegionCode, std::size_t> weights_;  // items kept of what each region said
  // By status and resource.
  std::map<std::pair<Status, std::string>, std::map<std::pair<ThreadKey, std::string>, Promise>, std::less<>> held_;
  std::map<ThreadKey, std::set<std::string>> promised_;  // resources of which a thread holds something
  std::deque<ThreadKey> done_;  // over when they were put here, and not forgotten yet: what is late may open them again
  std::set<BodyHash> finished_;
  std::vector<BodyHash> finished_order_;
  std::size_t oldest_finished_ = 0;
};

}  // namespace lianxi::core
