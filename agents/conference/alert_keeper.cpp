#include "agents/conference/alert_keeper.h"

#include <nlohmann/json.hpp>

#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::conference {
namespace {

std::string headline_of(const Event& event) {
  const auto* alert = std::get_if<Alert>(&event.body);
  if (alert == nullptr || alert->infos.empty()) return {};
  const AlertInfo& info = alert->infos.front();
  return info.headline.empty() ? info.event : info.headline;
}

}  // namespace

AlertKeeper::AlertKeeper(Receipts& receipts, KeeperOptions options, std::function<void(const std::string&)> say,
                         std::function<TimeMs()> now, std::function<void()> wake)
    : receipts_(receipts), options_(options), say_(std::move(say)), now_(std::move(now)), wake_(std::move(wake)) {}

sdk::FollowOptions AlertKeeper::where() const {
  sdk::FollowOptions follow;
  follow.from = FollowFrom::beginning;
  follow.lanes = mask_of(Lane::flash);
  follow.filter.kinds = {Kind::alert};
  follow.flash_endpoint = true;
  const auto cursor = from_beginning_ ? std::nullopt : receipts_.cursor();
  if (!cursor) return follow;
  follow.from = FollowFrom::cursor;
  follow.node = cursor->node;
  follow.incarnation = cursor->incarnation;
  follow.offset = cursor->next;
  return follow;
}

sdk::FollowCallbacks AlertKeeper::callbacks() {
  return {.started =
              [this](const Followed& followed) {
                cursor_ = {followed.node, followed.incarnation, followed.offset};
              },
          .event = [this](const sdk::Delivery& delivery) { event(delivery); },
          .progress = [this](Offset next, bool) { progress(next); },
          .refused = [this](const Refusal& refusal) { refused(refusal); }};
}

void AlertKeeper::event(const sdk::Delivery& delivery) {
  if (over_ || delivery.record.redacted) return;
  if (options_.count && kept_ >= *options_.count) return;
  const auto event = decode_event(delivery.record.body);
  if (!event || event->envelope.kind != Kind::alert) return;
  AlertReceipt receipt;
  receipt.feed = delivery.feed;
  receipt.sequence = delivery.record.stamp.sequence;
  receipt.entity = event->envelope.entity;
  receipt.level = event->envelope.level;
  receipt.status = event->envelope.status;
  receipt.headline = headline_of(*event);
  receipt.published_at = physical_ms(delivery.record.stamp.time);
  receipt.received_at = now_();
  try {
    if (!receipts_.add(receipt)) return;
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  ++kept_;
  cursor_.next = Offset(delivery.offset.value + 1);
  lines_.push_back(line(receipt, delivery.offset));
}

void AlertKeeper::progress(Offset next) {
  if (over_) return;
  const bool complete = options_.count && kept_ >= *options_.count;
  if (!complete) cursor_.next = next;  // else it stays behind the last receipt: the rest is for the next run
  try {
    receipts_.commit(cursor_);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  for (const std::string& text : lines_) say_(text);
  lines_.clear();
  if (complete) {
    over_ = true;
    wake_();
  }
}

void AlertKeeper::refused(const Refusal& refusal) {
  if (refusal.code == RefusalCode::cursor_unknown && !from_beginning_) {
    from_beginning_ = true;  // every receipt is kept once, so reading all again doubles none
    restart_ = true;
    return wake_();
  }
  fail(std::string(to_word(refusal.code)) + ": " + refusal.reason);
}

void AlertKeeper::fail(const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    failure_ = why;
  }
  over_ = true;
  wake_();
}

bool AlertKeeper::wants_restart() {
  return restart_.exchange(false);
}

std::string AlertKeeper::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

std::string AlertKeeper::line(const AlertReceipt& receipt, Offset offset) const {
  if (options_.json) {
    const nlohmann::ordered_json json = {{"region", to_text(receipt.feed.region)},
                                         {"epoch", receipt.feed.epoch.value},
                                         {"lane", to_word(receipt.feed.lane)},
                                         {"audience", receipt.feed.audience.text()},
                                         {"seq", receipt.sequence.value},
                                         {"offset", offset.value},
                                         {"entity", receipt.entity},
                                         {"level", to_word(receipt.level)},
                                         {"status", to_word(receipt.status)},
                                         {"headline", receipt.headline},
                                         {"published_at", to_iso8601(receipt.published_at)},
                                         {"received_at", to_iso8601(receipt.received_at)},
                                         {"latency_ms", receipt.received_at - receipt.published_at}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::string mark;
  if (receipt.status != Status::Actual) {
    mark = options_.chinese ? "【" + std::string(to_chinese(receipt.status)) + "】"
                            : "** " + std::string(to_word(receipt.status)) + " ** ";
  }
  std::string headline = receipt.headline;
  for (char& c : headline) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';  // an alert must not steer the terminal
  }
  const std::string level(options_.chinese ? to_chinese(receipt.level) : to_word(receipt.level));
  return to_iso8601(receipt.received_at) + "  " + level + "  " + mark + headline + "  " + receipt.entity + "  " +
         std::to_string(receipt.received_at - receipt.published_at) + " ms";
}

}  // namespace lianxi::conference
