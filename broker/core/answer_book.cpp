#include "broker/core/answer_book.h"

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kRangeBytes = 160;    // more than a range's own fields
constexpr std::size_t kRefusalBytes = 128;  // more than a refusal's fields but its texts

// Fills Answers messages up to their bound.
class Writer {
 public:
  Writer(Turn& turn, const Connection& to, SessionId session) : turn_(turn), to_(to) { answers_.session = session; }

  struct One {
    Lane lane{};
    Sequence sequence;
    const FeedId* feed = nullptr;
    Sequence feed_sequence;
    Ordinal ordinal;
    Offset offset;
    const BodyHash* hash = nullptr;
  };
  void add(const One& one) {
    if (!answers_.receipts.empty() && bytes_ + sizeof(BodyHash) <= kMaxAnswersBytes && continues(answers_.receipts.back(), one)) {
      bytes_ += sizeof(BodyHash);
    } else {
      make_room(kRangeBytes + sizeof(BodyHash));
      answers_.receipts.push_back(ReceiptRange{
          one.lane, one.feed->audience, one.sequence, 0, one.feed->epoch, one.feed_sequence, one.ordinal, one.offset, {}});
      feed_ = one.feed;
    }
    ReceiptRange& range = answers_.receipts.back();
    range.count += 1;
    range.body_hashes.push_back(*one.hash);
  }
  void add(SequenceRefusal refusal) {
    make_room(kRefusalBytes + refusal.refusal.field.size() + refusal.refusal.reason.size());
    answers_.refusals.push_back(std::move(refusal));
  }
  void flush() {
    if (bytes_ == 0) return;
    const SessionId session = answers_.session;
    turn_.send(to_, std::move(answers_));
    answers_ = Answers{};
    answers_.session = session;
    bytes_ = 0;
  }

 private:
  [[nodiscard]] bool continues(const ReceiptRange& range, const One& one) const {
    const std::uint64_t n = range.count;
    return one.lane == range.lane && (one.feed == feed_ || *one.feed == *feed_) &&
           one.sequence.value == range.first_sequence.value + n &&
           one.feed_sequence.value == range.first_feed_sequence.value + n && one.ordinal.value == range.first_ordinal.value + n &&
           one.offset.value == range.first_offset.value + n;
  }
  void make_room(std::size_t bytes) {
    if (bytes_ > 0 && bytes_ + bytes > kMaxAnswersBytes) flush();
    bytes_ += bytes;
  }

  Turn& turn_;
  const Connection& to_;
  Answers answers_;
  const FeedId* feed_ = nullptr;  // of the last range
  std::size_t bytes_ = 0;
};

}  // namespace

std::vector<AnswerBook::Item>& AnswerBook::page(const Connection& to, SessionId session) {
  if (last_ < pages_.size() && pages_[last_].session == session && pages_[last_].to == to) return pages_[last_].items;
  const auto [it, fresh] = index_.try_emplace({to, session}, pages_.size());
  if (fresh) pages_.push_back(Page{to, session, {}});
  last_ = it->second;
  return pages_[last_].items;
}

bool AnswerBook::Receipts::goes_on(Lane of, Sequence next, const HeldAnswer& held, bool of_this_turn) const {
  const std::uint64_t n = hashes.size();
  const bool dense = next.value == sequence.value + n && held.feed_sequence.value == feed_sequence.value + n &&
                     held.ordinal.value == ordinal.value + n;
  const bool placed = of_this_turn ? held.ticket == ticket + n : held.offset.value == offset.value + n;
  return of == lane && of_this_turn == this_turn && held.feed == feed && dense && placed;
}

void AnswerBook::receipt(const Connection& to, SessionId session, Lane lane, Sequence sequence, const HeldAnswer& held,
                         bool this_turn) {
  std::vector<Item>& items = page(to, session);
  auto* run = items.empty() ? nullptr : std::get_if<Receipts>(&items.back());
  if (run == nullptr || !run->goes_on(lane, sequence, held, this_turn)) {
    items.emplace_back(
        Receipts{lane, sequence, held.feed, held.feed_sequence, held.ordinal, held.offset, held.ticket, this_turn, {}});
    run = &std::get<Receipts>(items.back());
  }
  run->hashes.push_back(held.hash);
}

void AnswerBook::refusal(const Connection& to, SessionId session, SequenceRefusal refusal) {
  page(to, session).emplace_back(std::move(refusal));
}

void AnswerBook::close_turn(Turn& turn, const Sequencer& sequencer) {
  for (Page& page : pages_) {
    Writer writer(turn, page.to, page.session);
    for (Item& item : page.items) {
      if (auto* refusal = std::get_if<SequenceRefusal>(&item)) {
        writer.add(std::move(*refusal));
        continue;
      }
      const auto& run = std::get<Receipts>(item);
      for (std::size_t i = 0; i < run.hashes.size(); ++i) {
        const Offset offset = run.this_turn ? sequencer.position(run.ticket + static_cast<Sequencer::Ticket>(i)).offset
                                            : Offset{run.offset.value + i};
        writer.add({run.lane, Sequence{run.sequence.value + i}, run.feed, Sequence{run.feed_sequence.value + i},
                    Ordinal{run.ordinal.value + i}, offset, &run.hashes[i]});
      }
    }
    writer.flush();
  }
  pages_.clear();
  index_.clear();
}

}  // namespace lianxi::core
