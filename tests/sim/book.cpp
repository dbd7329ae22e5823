#include "tests/sim/book.h"

#include <algorithm>
#include <utility>

#include "schemas/codec/event_codec.h"
#include "schemas/mobilisation_thread.h"

namespace lianxi::sim {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;

std::string to_text(const Answered& answered) {
  if (!answered.accepted) return "refused " + std::string(to_word(answered.code));
  return "accepted as " + lianxi::to_text(answered.feed) + " " + std::to_string(answered.feed_sequence.value) + " ordinal " +
         std::to_string(answered.ordinal.value) + " offset " + std::to_string(answered.offset.value);
}

}  // namespace

std::string to_text(const Asked& asked) {
  return asked.agent.text() + " session " + std::to_string(asked.session.value % 10000) + " " + std::string(to_word(asked.lane)) +
         " " + std::to_string(asked.sequence.value);
}

std::string to_text(const FeedVector& vector) {
  std::string out;
  for (const FeedPosition& position : vector) {
    out += lianxi::to_text(position.feed) + "=" + std::to_string(position.head.sequence.value) + ":" +
           to_hex(BytesView(position.head.hash).first(4)) + " ";
  }
  return out;
}

void Book::answer(const Asked& asked, const Answered& answered, HostId by) {
  const auto [first, fresh] = answers_.try_emplace(asked, Given{answered, by});
  if (fresh) {
    acknowledged_ += answered.accepted ? 1 : 0;
    refused_ += answered.accepted ? 0 : 1;
    if (!answered.accepted) never_while_known(asked.agent.region(), answered.hash);
  } else if (first->second.answered != answered) {
    world_.fail("promise 2: " + to_text(asked) + " was first " + to_text(first->second.answered) + " and is now " +
                to_text(answered));
  }
}

bool Book::take_segment(RegionCode region, HostId host, const store::JournalSegment& stored, Offset& next,
                        std::map<FeedId, FeedHead>& heads, Events& events, std::vector<OwnEvent>& own) {
  const std::string where = "journal of " + lianxi::to_text(region) + " at offset " + std::to_string(next.value) + ": ";
  const Result<Segment> segment = Segment::parse(stored.bytes);
  if (!segment) {
    world_.fail("promise 8: " + where + segment.error().reason);
    return false;
  }
  if (stored.first_offset != next) {
    world_.fail("promise 1: " + where + "the next segment begins at offset " + std::to_string(stored.first_offset.value));
    return false;
  }
  const FeedId& feed = segment->info().feed;
  const SegmentInfo& info = segment->info();
  const auto [held, fresh] = heads.try_emplace(feed);
  FeedHead& head = held->second;
  if (fresh && info.first_sequence.value > 1) {
    head = {Sequence(info.first_sequence.value - 1), info.previous};
    if (!retained_.contains({feed, head.sequence, head.hash})) {
      world_.fail("promise 8: " + where + lianxi::to_text(feed) + " begins behind " + std::to_string(head.sequence.value) +
                  ", and its region never let go of what is before");
      return false;
    }
  }
  const Result<FeedHead> after = verify_chain(*segment, head);
  if (!after) {
    world_.fail("promise 8: " + where + "the chain breaks: " + after.error().reason);
    return false;
  }
  head = *after;
  for (const RecordView& record : segment->records()) {
    const Stamp& stamp = record.stamp;
    const BodyHash body = body_hash(record.body);
    if (Version* version = check_record(region, host, feed, record, body)) version->seen |= bit_of(host);
    events[{feed, stamp.sequence}] =
        Found{{stamp.publisher, stamp.session, feed.lane, stamp.session_sequence}, body, stamp.ordinal, next};
    if (feed.region == region)
      own.push_back({feed.epoch, stamp.ordinal, physical_ms(stamp.time), Bytes(record.body.begin(), record.body.end())});
    next = Offset(next.value + 1);
  }
  return true;
}

Book::Version* Book::check_record(RegionCode region, HostId host, const FeedId& feed, const RecordView& record,
                                  const BodyHash& body) {
  const std::string where =
      lianxi::to_text(feed) + " " + std::to_string(record.stamp.sequence.value) + " in the journal of " + lianxi::to_text(region);
  Version* version = version_at({feed, record.stamp.sequence}, record, body, region);
  if (version == nullptr) {
    world_.fail("promise 8: " + where + " is not what " + lianxi::to_text(history_.at({feed, record.stamp.sequence}).by) +
                " has there");
    return nullptr;
  }
  version->held |= bit_of(host);
  if (!std::exchange(version->judged, true)) judge_event(where, feed, record, body);
  return version;
}

void Book::judge_event(const std::string& where, const FeedId& feed, const RecordView& record, const BodyHash& body) {
  if (never_.contains(body) && !twice_.contains(body)) return world_.fail("promise 9: " + where + " was refused");
  const Result<Event> event = decode_event(record.body);
  if (!event) return world_.fail("promise 9: " + where + " is no event");
  if (const auto* retention = std::get_if<Retention>(&event->body)) {
    world_.fired(Fault::retained);
    retained_.insert({feed, retention->through.sequence, retention->through.hash});
  }
  const auto home = home_region(event->envelope.entity);
  if (event->envelope.kind == Kind::resource && (!home || *home != feed.region))
    world_.fail("promise 6: " + where + " decides on " + event->envelope.entity + ", which is another region's");
  const auto* message = std::get_if<Mobilisation>(&event->body);
  if (message == nullptr) return;
  for (const MobilisationItem& item : message->items)
    if (takes(*message, item) && !item.resource.starts_with(lianxi::to_text(feed.region) + ":"))
      world_.fail("promise 6: " + where + " promises " + item.resource + ", which is another region's");
}

void Book::committed(RegionCode region, HostId host, const store::JournalSegment& stored) {
  const Result<Segment> segment = Segment::parse(stored.bytes);
  if (!segment) return world_.fail("promise 8: " + lianxi::to_text(region) + " commits what cannot be read");
  for (const RecordView& record : segment->records())
    (void)check_record(region, host, segment->info().feed, record, body_hash(record.body));
}

void Book::check_unique(RegionCode region, const Events& events) {
  std::set<Asked> asked;
  std::set<BodyHash> bodies;
  for (const auto& [place, found] : events) {
    const std::string where = "promise 2: in the journal of " + lianxi::to_text(region) + " ";
    const bool again = began_anew_.contains({found.asked.agent, found.asked.session}) || twice_.contains(found.hash);
    if (!asked.insert(found.asked).second && !again) world_.fail(where + to_text(found.asked) + " stands twice");
    if (!bodies.insert(found.hash).second && !twice_.contains(found.hash))
      world_.fail(where + "the event of " + to_text(found.asked) + " stands twice");
  }
}

bool Book::check_receipt(const Asked& asked, const Answered& answered, const Events& events) {
  const auto at = events.find({answered.feed, answered.feed_sequence});
  if (at == events.end()) {
    world_.fail("promise 1: " + to_text(asked) + " was " + to_text(answered) + " and is not in the journal");
    return false;
  }
  const Found& found = at->second;
  if (found.asked == asked && found.hash == answered.hash && found.ordinal == answered.ordinal && found.offset == answered.offset)
    return true;
  world_.fail("promise 1: where " + to_text(asked) + " was " + to_text(answered) + ", the journal has " + to_text(found.asked));
  return false;
}

// What the disk of a clone was copied with counts as its own.
void Book::check_acknowledged(HostId host, const Events& events) {
  const auto heir = heirs_.find(host);
  const auto holds = [&](const auto& entry) {
    const auto& [asked, given] = entry;
    const Answered& answered = given.answered;
    const bool own =
        given.by == host || (heir != heirs_.end() && given.by == heir->second.of && answered.offset < heir->second.kept);
    return !answered.accepted || !own || check_receipt(asked, answered, events);
  };
  if (std::all_of(answers_.begin(), answers_.end(), holds)) (void)std::all_of(former_.begin(), former_.end(), holds);
}

void Book::check_come_back(RegionCode region, const Events& events) {
  for (const auto& [asked, answered] : lost_) {
    if (answered.feed.region != region) continue;
    const auto at = events.find({answered.feed, answered.feed_sequence});
    if (at == events.end()) continue;
    const Found& found = at->second;
    if (found.asked == asked && found.hash == answered.hash && found.ordinal == answered.ordinal) continue;
    if (may_fork(at->first)) continue;  // the other history has come back; that it was reported is seen to elsewhere
    return world_.fail("promise 8: where " + to_text(asked) + " was " + to_text(answered) +
                       " before a restore, the journal has " + to_text(found.asked));
  }
}

void Book::never_while_known(RegionCode region, const BodyHash& body) {
  if (branches_.contains(region)) return;  // one copy refuses what the other takes
  if (!never_.insert(body).second) return;
  never_while_known_[region].push_back(body);
}

void Book::restored(RegionCode region, HostId host, Offset kept) {
  restored_.insert(region);
  forget_disk(host);
  const auto is_lost = [&](const std::pair<Asked, Given>& entry) {
    const auto& [asked, given] = entry;
    if (given.by != host || (given.answered.accepted && given.answered.offset < kept)) return false;
    if (given.answered.accepted) lost_.emplace_back(asked, given.answered);
    return true;
  };
  const std::size_t before = lost_.size();
  std::erase_if(answers_, is_lost);
  std::erase_if(former_, is_lost);
  world_.count("receipts behind a backup", lost_.size() - before);
  for (const BodyHash& body : std::exchange(never_while_known_[region], {})) never_.erase(body);
}

void Book::begins_anew(const AgentId& agent, SessionId session) {
  began_anew_.insert({agent, session});
  std::erase_if(answers_, [&](const auto& entry) {
    const bool its = entry.first.agent == agent && entry.first.session == session;
    if (its) former_.push_back(entry);
    return its;
  });
}

void Book::replicated(const Asked& asked, std::uint8_t held) {
  const auto answer = answers_.find(asked);
  if (answer == answers_.end() && began_anew_.contains({asked.agent, asked.session})) return;
  if (answer == answers_.end() || !answer->second.answered.accepted) {
    world_.fail("promise 1: " + to_text(asked) + " is said to be with " + std::to_string(held) + " peers, before its receipt");
    return;
  }
  world_.count("outcomes of peers");
  if (held == 0) return;
  world_.count("outcomes with holders");
  const Answered& receipt = answer->second.answered;
  Spread& spread = spread_[{{receipt.feed, receipt.feed_sequence}, receipt.hash}];
  if (held <= spread.held) return;
  spread = {held, {}};  // who was seen without it before may be one of them by now
}

void Book::check_replicated(RegionCode region, const Events& events) {
  for (auto& [of, spread] : spread_) {
    const auto& [place, body] = of;
    const FeedId& feed = place.first;
    if (feed.region == region || !members_->holds(feed.audience, region)) continue;
    if (const auto at = events.find(place); at != events.end() && at->second.hash == body) continue;
    if (restored_.contains(region)) continue;  // what it said before it was lost is no promise of the others
    spread.missing.insert(region);
    std::size_t others = 0;
    for (const core::Member& member : members_->all())
      others += member.region != feed.region && members_->holds(feed.audience, member.region) ? 1U : 0U;
    if (spread.missing.size() + spread.held <= others) continue;
    world_.fail("promise 1: " + std::to_string(spread.held) + " of " + std::to_string(others) + " peers were said to hold " +
                lianxi::to_text(feed) + " " + std::to_string(place.second.value) + ", and " +
                std::to_string(spread.missing.size()) + " of them do not, among them " + lianxi::to_text(region));
    return;
  }
}

void Book::check_journal(RegionCode region, HostId host, store::JournalReader& journal) {
  Offset next(1);
  std::map<FeedId, FeedHead> heads;
  Events events;
  std::vector<OwnEvent> own;
  while (true) {
    const auto segments = journal.read(next, kReadBytes);
    if (!segments)
      return world_.fail("promise 1: the journal of " + lianxi::to_text(region) + " cannot be read: " + segments.error().detail);
    if (segments->empty()) break;
    for (const store::JournalSegment& stored : *segments) {
      if (!take_segment(region, host, stored, next, heads, events, own)) return;
    }
  }
  world_.count("journal checks");
  check_kept(region, host);
  check_unique(region, events);
  check_acknowledged(host, events);
  check_come_back(region, events);
  check_replicated(region, events);
  check_promises(region, std::move(own));
}

void Book::digest(RegionCode region, const DigestRow& row) {
  const std::string vector = to_text(row.vector);
  const auto [first, fresh] = digests_.try_emplace(row.audience.text() + " " + vector, Shown{row.digest, region});
  if (!fresh) world_.count("digests compared");
  if (first->second.digest != row.digest) {
    world_.fail("promise 5: " + lianxi::to_text(first->second.by) + " and " + lianxi::to_text(region) +
                " show different digests of '" + row.audience.text() + "' at the same vector " + vector);
  }
}

}  // namespace lianxi::sim
