#include "broker/core/mobilisations.h"

#include <fmt/format.h>

#include <algorithm>

#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kNamedHolders = 4;

BodyHash hash_of(const ThreadKey& key) {
  Bytes bytes(key.entity.begin(), key.entity.end());
  bytes.push_back(static_cast<std::uint8_t>(key.status));
  return body_hash(bytes);
}

RegionCode home_of(const std::string& entity) {
  const auto home = home_region(entity);
  return home ? *home : RegionCode();
}

bool may_end_a_thread(const Mobilisation& message) {
  if (message.recall == Recall::Cancel) return true;
  return std::any_of(message.items.begin(), message.items.end(), [](const MobilisationItem& item) {
    return item.response == Response::Decline || item.deployment == Deployment::returned;
  });
}

std::string decimal(std::int64_t milli) {
  if (milli % 1000 == 0) return std::to_string(milli / 1000);
  return fmt::format("{:g}", static_cast<double>(milli) / 1000);
}

}  // namespace

Mobilisation without_texts(Mobilisation message) {
  message.description.clear();
  message.incident.clear();
  message.funding.clear();
  message.contacts.clear();
  for (MobilisationItem& item : message.items) {
    for (std::string* text : {&item.reason_code, &item.reason, &item.name, &item.description, &item.restrictions,
                              &item.anticipated_function, &item.price_quote, &item.order_id, &item.instructions})
      text->clear();
    for (Schedule& entry : item.schedule) entry.address.clear();
  }
  return message;
}

std::vector<ThreadSaid> KnownThread::views() const {
  std::vector<ThreadSaid> views;
  views.reserve(said.size() + 1);
  for (const HeardMessage& one : said) views.push_back({one.region, one.version, one.time, &one.message});
  return views;
}

const HeardMessage* KnownThread::find(RegionCode region, std::string_view message_id) const {
  for (const HeardMessage& one : said)
    if ((region == RegionCode() || one.region == region) && one.message.message_id == message_id) return &one;
  return nullptr;
}

std::size_t KnownThread::weight(RegionCode region) const {
  std::size_t weight = 0;
  for (const HeardMessage& one : said) weight += one.region == region ? 1 + one.message.items.size() : 0;
  return weight;
}

Promises promises_of(const Thread& thread, RegionCode own) {
  Promises promises;
  for (const ThreadHolding& holding : thread.holdings) {
    const HoldingRow& row = holding.row;
    if (row.region != own || !row.held) continue;
    promises[{row.resource, row.item}] = {row.quantity_milli, row.state, holding.lapses && row.until, row.until.value_or(0)};
  }
  return promises;
}

void Mobilisations::remember(const Envelope& envelope, HeardMessage heard) {
  const ThreadKey key{envelope.status, envelope.entity};
  if (finished(key) && heard.region != own_) return;
  const bool own = heard.region == own_;
  std::size_t& weight = weights_[heard.region];
  const std::size_t more = 1 + heard.message.items.size();
  // Of a peer's words no more than what fits; of this region's every one, for they bind it.
  if (!own && weight + more > kMaxHeardItems) make_room(heard.region);
  if (!own && weight + more > kMaxHeardItems) return;
  const auto [at, fresh] = threads_.try_emplace(key);
  KnownThread& thread = at->second;
  if (fresh) thread.home = home_of(key.entity);
  const bool begins = heard.region == thread.home && heard.message.message_id == heard.message.originating_id;
  if (fresh || begins) thread.audience = envelope.audience;
  const bool known = std::any_of(thread.said.begin(), thread.said.end(), [&](const HeardMessage& one) {
    return one.region == heard.region && one.version == heard.version;
  });
  if (known || (!own && thread.weight(heard.region) + more > kMaxThreadItems)) return;
  weight += more;
  const bool may_end = own || may_end_a_thread(heard.message);
  thread.said.push_back(std::move(heard));
  if (!may_end) return;
  const Thread sum = add_up(thread.home, thread.views());
  if (own) count_promises(key, promises_of(sum, own_));
  if (!is_done(key, sum)) return;
  done_.push_back(key);
  while (done_.size() > kKeptFinished || (!done_.empty() && weights_[own_] > kMaxOwnItems / 2)) {
    const ThreadKey oldest = done_.front();
    done_.pop_front();
    const auto of = threads_.find(oldest);
    if (of != threads_.end() && is_done(oldest, add_up(of->second.home, of->second.views()))) finish(oldest);
  }
}

bool Mobilisations::is_done(const ThreadKey& key, const Thread& sum) const {
  return sum.over && (sum.first != nullptr || finished(key)) && !promised_.contains(key);
}

void Mobilisations::count_promises(const ThreadKey& key, const Promises& now) {
  for (const std::string& resource : promised_[key]) {
    const auto of = held_.find(std::pair(key.status, resource));
    if (of == held_.end()) continue;
    std::erase_if(of->second, [&](const auto& entry) { return entry.first.first == key; });
    if (of->second.empty()) held_.erase(of);
  }
  promised_.erase(key);
  for (const auto& [of, promise] : now) {
    held_[{key.status, of.first}][{key, of.second}] = promise;
    promised_[key].insert(of.first);
  }
}

void Mobilisations::forget(const ThreadKey& key) {
  const auto thread = threads_.find(key);
  if (thread == threads_.end()) return;
  for (const HeardMessage& one : thread->second.said) weights_[one.region] -= 1 + one.message.items.size();
  threads_.erase(thread);
}

void Mobilisations::make_room(RegionCode peer) {
  std::vector<std::pair<Hlc, ThreadKey>> oldest;
  for (const auto& [key, thread] : threads_) {
    if (thread.home == own_ || promised_.contains(key) || thread.weight(peer) == 0) continue;
    Hlc last;
    for (const HeardMessage& one : thread.said) last = std::max(last, one.time);
    oldest.emplace_back(last, key);
  }
  std::sort(oldest.begin(), oldest.end());
  for (const auto& [last, key] : oldest) {
    if (weights_[peer] <= kMaxHeardItems / 2) return;
    forget(key);
  }
}

void Mobilisations::finish(const ThreadKey& key) {
  forget(key);
  const BodyHash hash = hash_of(key);
  if (!finished_.insert(hash).second) return;
  if (finished_order_.size() < kMaxFinishedThreads) {
    finished_order_.push_back(hash);
    return;
  }
  finished_.erase(finished_order_[oldest_finished_]);
  finished_order_[oldest_finished_] = hash;
  oldest_finished_ = (oldest_finished_ + 1) % kMaxFinishedThreads;
}

const KnownThread* Mobilisations::find(const ThreadKey& key) const {
  const auto found = threads_.find(key);
  return found == threads_.end() ? nullptr : &found->second;
}

bool Mobilisations::finished(const ThreadKey& key) const {
  return finished_.contains(hash_of(key));
}

bool Mobilisations::full(std::size_t items) const {
  const auto weight = weights_.find(own_);
  return weight != weights_.end() && weight->second + 1 + items > kMaxOwnItems;
}

HeldOf Mobilisations::held(std::string_view resource, Status status, TimeMs now, const ThreadKey* beside) const {
  HeldOf held;
  const auto of = held_.find(std::pair(status, std::string(resource)));
  if (of == held_.end()) return held;
  for (const auto& [by, promise] : of->second) {
    if (!promise.holds_at(now) || (beside != nullptr && by.first == *beside)) continue;
    if (__builtin_add_overflow(held.quantity_milli, promise.quantity_milli, &held.quantity_milli))
      held.quantity_milli = INT64_MAX;
    if (++held.count > kNamedHolders) continue;
    held.holders += fmt::format("{}{} {} by {}", held.holders.empty() ? "" : ", ", decimal(promise.quantity_milli),
                                to_word(promise.state), by.first.entity);
  }
  if (held.count > kNamedHolders) held.holders += fmt::format(" and {} more", held.count - kNamedHolders);
  return held;
}

}  // namespace lianxi::core
