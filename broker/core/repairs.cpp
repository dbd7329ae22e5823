#include "broker/core/repairs.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

std::string text_of(const DamagedRange& range) {
  return to_text(range.feed) + " sequences " + std::to_string(range.first.value) + " to " + std::to_string(range.last.value);
}

FeedHead before(const DamagedRange& range) {
  return {Sequence(range.first.value - 1), range.previous};
}

}  // namespace

void Repairs::damaged(const Turn& turn, const std::vector<DamagedRange>& ranges) {
  for (const DamagedRange& range : ranges) {
    const Key key{range.feed, range.first};
    if (wanted_.size() >= kMaxRepairs && !wanted_.contains(key)) {
      // What may come goes before what nobody has; that is told as it stands.
      const auto hopeless = std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& entry) {
        return entry.second.hopeless && !(asking_ && asking_->what == entry.first);
      });
      if (hopeless == wanted_.end()) continue;
      wanted_.erase(hopeless);
    }
    Wanted& wanted = wanted_[key];
    wanted.range = range;
    // What was given lately, and is damaged all the same, was not written: not at once again.
    if (const auto given = handed_out_.find(key); given != handed_out_.end())
      wanted.retry_at = std::min(given->second, turn.now) + kRepairRetryMs;
  }
}

bool Repairs::nobody_left(const Ground& ground, const Wanted& wanted) const {
  const std::vector<Member>& all = ground.members().all();
  return std::none_of(all.begin(), all.end(), [&](const Member& member) {
    return member.region != ground.region() && !wanted.in_vain.contains(member.region) &&
           ground.members().holds(wanted.range.feed.audience, member.region);
  });
}

std::optional<Repairs::Question> Repairs::ask(Ground& ground, Turn& turn, const std::map<LinkId, SessionId*>& reachable) {
  if (asking_) {
    asking_->since = std::min(asking_->since, turn.now);  // the wall clock may have been set back
    asking_->begun = std::min(asking_->begun, turn.now);
    if (turn.now - asking_->since > kRepairPatienceMs || turn.now - asking_->begun > kRepairQuestionMs)
      in_vain(turn, "it gives nothing more");
    if (asking_) return std::nullopt;
  }
  if (ground.disk_low) return std::nullopt;  // there is no room to write the file anew
  for (auto& [key, wanted] : wanted_) {
    wanted.retry_at = std::min(wanted.retry_at, turn.now + kRepairRetryMs);
    if (turn.now < wanted.retry_at) continue;
    const FeedId& feed = wanted.range.feed;
    // A member that has gone is asked too while it is reached.
    const auto holder = std::find_if(reachable.begin(), reachable.end(), [&](const auto& entry) {
      const RegionCode peer = entry.first.peer;
      return entry.first.lanes == static_cast<LaneClass>(feed.lane) && !wanted.in_vain.contains(peer) &&
             (peer == feed.region || ground.members().holds(feed.audience, peer));
    });
    if (holder != reachable.end()) return open(turn, wanted, holder->first, *holder->second);
    if (!nobody_left(ground, wanted)) continue;  // who holds it may be reached again
    ground.standing.raise(turn, "journal_damaged", to_text(feed),
                          text_of(wanted.range) + " cannot be mended: nobody else holds it" +
                              (feed.audience.is_local() ? ", for it never leaves this region" : "") +
                              "; restore the journal from a backup");
    wanted.in_vain.clear();
    wanted.hopeless = wanted.told = true;
    wanted.retry_at = turn.now + kRepairRetryMs;
  }
  return std::nullopt;
}

Repairs::Question Repairs::open(const Turn& turn, Wanted& wanted, const LinkId& to, SessionId& last_follow) {
  last_follow = SessionId{last_follow.value + 1};
  wanted.hopeless = false;
  const DamagedRange& range = wanted.range;
  asking_.emplace(Asking{{range.feed, range.first},
                         range,
                         {to, last_follow},
                         turn.now,
                         turn.now,
                         std::nullopt,
                         SegmentWriter(range.feed, before(range), Offset{1})});
  return {asking_->of, range.feed, before(range)};
}

std::optional<Credit> Repairs::message(Ground& ground, Turn& turn, const Message& message) {
  Offset through;
  std::optional<Credit> credit;
  if (const auto* delivery = std::get_if<Deliver>(&message)) {
    credit = deliver(ground, turn, *delivery);
    through = delivery->next;
  } else if (const auto* followed = std::get_if<Followed>(&message)) {
    if (!asking_->until) asking_->since = turn.now;
    asking_->until = followed->head;
    through = followed->offset;
  } else if (const auto* refused = std::get_if<Refused>(&message); refused != nullptr && refused->refusal.retry_after_ms > 0) {
    if (const auto found = wanted_.find(asking_->what); found != wanted_.end())
      found->second.retry_at = turn.now + refused->refusal.retry_after_ms;
    asking_.reset();
  } else if (refused != nullptr || std::holds_alternative<Unfollow>(message)) {
    in_vain(turn, "it ended the follow");
  }
  if (asking_ && asking_->until && through >= *asking_->until) in_vain(turn, "it has nothing of it");
  return asking_ ? credit : std::nullopt;
}

std::optional<Credit> Repairs::deliver(Ground& ground, Turn& turn, const Deliver& deliver) {
  const auto segments = parse_segments(deliver.segments);
  if (!segments) {
    in_vain(turn, "unreadable delivery: " + segments.error().reason);
    return std::nullopt;
  }
  const DamagedRange range = asking_->range;
  const FeedHead held = asking_->given.head();
  for (const Segment& segment : *segments) {
    if (segment.info().feed != range.feed) continue;
    std::string why;
    switch (take(ground, segment, range, why)) {
      case Taken::more:
        break;
      case Taken::all:
        hand_out(ground, turn, segment);
        return std::nullopt;
      case Taken::lacks:
        in_vain(turn, "events or a seal of it are missing");
        return std::nullopt;
      case Taken::refused:
        turn.count(RefusalCode::feed_broken);
        turn.alarm("repair_refused", "what the node of " + to_text(asking_->of.link.peer) + " gives for the damaged " +
                                         text_of(range) + " is not taken: " + why);
        in_vain(turn, why);
        return std::nullopt;
    }
  }
  // Who gives empty messages, or what is not asked for, is not waited for.
  if (asking_->given.head() != held) asking_->since = turn.now;
  return Credit{asking_->of.follow, deliver.segments.size(), 1, Offset{}};
}

// Of the segment what continues what was given so far.
Repairs::Taken Repairs::take(const Ground& ground, const Segment& segment, const DamagedRange& range, std::string& why) {
  SegmentWriter& given = asking_->given;
  const SegmentInfo& info = segment.info();
  const FeedHead before{Sequence(info.first_sequence.value - 1), info.previous};
  const auto refused = [&](const char* reason) {
    why = reason;
    return Taken::refused;
  };
  if (info.filtered || segment.records().empty()) return refused("events of it are left out");
  if (segment.last().sequence <= given.head().sequence) return Taken::more;
  if (before.sequence > given.head().sequence) return Taken::lacks;
  if (const auto chained = verify_chain(segment, before); !chained) return refused("its chain does not verify");
  const Member* home = ground.members().find(range.feed.region);
  const std::optional<Seal>& seal = segment.seal();
  if (seal && home == nullptr) return Taken::lacks;  // a member that is no longer in the file: nobody can prove it
  const bool sealed = seal && seal->sequence == segment.last().sequence && seal->hash == segment.last().hash &&
                      verify_seal(home->seal_key, range.feed, *seal);
  if (seal && !sealed) return refused("its seal does not verify");
  FeedHead at = before;
  for (const RecordView& record : segment.records()) {
    if (at.sequence == given.head().sequence && at.hash != given.head().hash) return refused("it does not continue what is held");
    if (record.redacted) return refused("an event of it is without its body");
    at = {record.stamp.sequence, record.hash};
    if (at.sequence <= given.head().sequence || at.sequence > range.last) continue;
    if (!given.has_room(record.stamp.publisher.text().size(), record.body.size()))
      return refused("it is longer than what is stored in one piece");
    given.append(record);
  }
  if (given.head().sequence < range.last) return Taken::more;
  if (range.hash && given.head().hash != *range.hash) return refused("it does not end as what is held says");
  // Honest nodes join segments at other places: theirs may have no seal there.
  if (!range.hash && !sealed) return Taken::lacks;
  if (range.seal_lost && (!sealed || seal->sequence != range.last)) return Taken::lacks;
  return Taken::all;
}

void Repairs::hand_out(Ground& ground, Turn& turn, const Segment& last) {
  const Key what = asking_->what;
  const DamagedRange range = asking_->range;
  StoredSegment segment;
  segment.info = {range.feed, range.first, asking_->given.count(), Offset{1}, range.previous, false};
  segment.last = asking_->given.head();
  segment.bytes = std::move(asking_->given).finish();
  if (last.seal() && last.seal()->sequence == segment.last.sequence) segment.seal = last.seal();
  turn.effects.repairs.push_back({std::move(segment)});
  close(turn, "the damaged stretch is here");
  const std::string came = text_of(range) + " came back from another node";
  wanted_.erase(what);
  const bool others = std::any_of(wanted_.begin(), wanted_.end(),
                                  [&](const auto& entry) { return entry.first.first == what.first && entry.second.told; });
  if (!others) ground.standing.end(turn, "journal_damaged", to_text(what.first), came);
  if (handed_out_.size() >= kMaxRepairs) {
    handed_out_.erase(std::min_element(handed_out_.begin(), handed_out_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  handed_out_[what] = turn.now;
}

void Repairs::in_vain(Turn& turn, const std::string& why) {
  if (const auto found = wanted_.find(asking_->what); found != wanted_.end()) found->second.in_vain.insert(asking_->of.link.peer);
  close(turn, why);
}

void Repairs::close(Turn& turn, const std::string& why) {
  turn.effects.link_sends.push_back({asking_->of.link, Unfollow{asking_->of.follow, why}});
  asking_.reset();
}

}  // namespace lianxi::core
