#include "broker/app/explain.h"

#include <algorithm>

#include "broker/app/link_table.h"
#include "broker/app/live_feed.h"
#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::app {

namespace {

struct Found {  // an event, read back from the journal
  Offset offset;
  FeedId feed;
  Stamp stamp;
  Hash hash{};
  bool redacted = false;
  Envelope envelope;
};

tl::unexpected<Refusal> not_there() {
  return refuse(RefusalCode::not_found, "event", "this node holds no such event, or your rights do not show it");
}

tl::unexpected<Refusal> unreadable(const store::StoreFailure& failure) {
  return refuse(RefusalCode::internal, "event", "it could not be read: " + failure.detail);
}

Result<Found> read_at(store::JournalReader& journal, Offset offset) {
  const auto next = journal.next_offset();
  if (!next) return unreadable(next.error());
  if (offset.value == 0 || offset >= *next) return not_there();
  const auto segments = journal.read(offset, 1);
  if (!segments && segments.error().code == store::StoreError::not_found) return not_there();
  if (!segments) return unreadable(segments.error());
  for (const store::JournalSegment& stored : *segments) {
    const auto segment = Segment::parse(stored.bytes);
    if (!segment) return unreadable({store::StoreError::corrupt, segment.error().reason});
    if (offset < stored.first_offset || offset.value >= stored.first_offset.value + segment->records().size()) continue;
    const RecordView& record = segment->records()[offset.value - stored.first_offset.value];
    Found found{offset, segment->info().feed, record.stamp, record.hash, record.redacted, {}};
    found.envelope.audience = found.feed.audience;
    if (auto envelope = record.redacted ? Result<Envelope>(found.envelope) : decode_envelope(record.body))
      found.envelope = std::move(*envelope);
    return found;
  }
  return not_there();
}

// Where an event of a feed stands: the first offset that is not covered by all that is here, but for this feed from it on.
Result<Offset> offset_of(const FeedPosition& wanted, const ExplainParts& parts) {
  FeedVector have = parts.status.feeds;
  const auto feed = std::find_if(have.begin(), have.end(), [&](const FeedPosition& p) { return p.feed == wanted.feed; });
  if (feed == have.end() || feed->head.sequence < wanted.head.sequence) return not_there();
  feed->head.sequence = Sequence(wanted.head.sequence.value - 1);
  const auto offset = parts.journal.first_beyond(have);
  if (!offset) return unreadable(offset.error());
  return *offset;
}

bool shows(const Found& event, const core::Agent& agent, const Rights& rights) {
  return reaches(event.feed.audience, event.feed.region, agent, *rights.members) &&
         rights.policy->may_query(agent, event.envelope);
}

// The newest event of the entity that the agent may see, and where the others stand that he may see.
Result<Found> newest_of(const std::string& entity, const core::Agent& agent, const Rights& rights, const ExplainParts& parts,
                        std::vector<Offset>& others) {
  const auto offsets = parts.view.events_of(entity, kMaxExplainedOthers);
  if (!offsets) return unreadable(offsets.error());
  std::optional<Found> newest;
  for (const Offset offset : *offsets) {
    auto event = read_at(parts.journal, offset);
    if (!event || !shows(*event, agent, rights)) continue;
    if (newest)
      others.push_back(offset);
    else
      newest = std::move(*event);
  }
  if (!newest) return not_there();
  return std::move(*newest);
}

Result<Found> find_event(const AskExplain& ask, const core::Agent& agent, const Rights& rights, const ExplainParts& parts,
                         std::vector<Offset>& others) {
  if (!ask.entity.empty()) return newest_of(ask.entity, agent, rights, parts, others);
  Offset offset = ask.offset;
  if (ask.feed) {
    const auto at = offset_of(*ask.feed, parts);
    if (!at) return tl::unexpected(at.error());
    offset = *at;
  }
  auto event = read_at(parts.journal, offset);
  if (!event) return event;
  if (ask.feed && (event->feed != ask.feed->feed || event->stamp.sequence != ask.feed->head.sequence)) return not_there();
  if (!shows(*event, agent, rights)) return not_there();
  return event;
}

// --- members ---

const LinkRow* link_for(const StatusReport& status, RegionCode region, Lane lane) {
  const std::string lanes = to_word(static_cast<core::LaneClass>(lane));
  for (const LinkRow& link : status.links)
    if (link.region == region && link.lanes == lanes) return &link;
  return nullptr;
}

void tell_holding(ReceiverRow& row, const Found& event, const Rights& rights, const ExplainParts& parts) {
  const core::Members& members = *rights.members;
  const bool is_here = row.region == rights.region;
  if (is_here || row.region == event.feed.region) {
    row.holding = Holding::holds;
    row.held = event.stamp.sequence;
    row.reason = row.region == event.feed.region ? "its own node wrote it" : "this node";
    return;
  }
  if (!members.entitled(event.feed.audience, row.region)) {
    row.holding = Holding::outside;
    row.reason = event.feed.audience.is_local() ? "local events never leave " + to_text(event.feed.region)
                                                : "not of the audience \"" + event.feed.audience.text() + "\"";
    return;
  }
  const auto sight = std::find_if(parts.peers.begin(), parts.peers.end(),
                                  [&](const core::PeerSight& peer) { return peer.region == row.region; });
  if (event.feed.region == rights.region && sight != parts.peers.end()) {
    row.seen = sight->said_at;
    const auto at = std::find_if(sight->held.begin(), sight->held.end(),
                                 [&](const FeedPosition& position) { return position.feed == event.feed; });
    if (at != sight->held.end()) row.held = at->head.sequence;
    row.holding = row.held >= event.stamp.sequence ? Holding::holds : Holding::behind;
    if (at != sight->held.end() && at->begins >= event.stamp.sequence) {
      row.holding = Holding::outside;
      row.reason = "it holds the feed from sequence " + std::to_string(at->begins.value + 1) +
                   " on: what is before counted no more when it joined";
    }
  } else if (event.feed.region != rights.region) {
    row.reason = "what it holds of other regions only they and it know: ask the node of " + to_text(event.feed.region);
  } else {
    row.reason = "it has not been heard since this node began";
  }
}

ReceiverRow receiver(const core::Member& member, const Found& event, const Rights& rights, const ExplainParts& parts) {
  ReceiverRow row;
  row.region = member.region;
  row.name_zh = member.name_zh;
  row.name_en = member.name_en;
  row.standing = rights.members->standing(member.region);
  if (const LinkRow* link = link_for(parts.status, member.region, event.feed.lane)) {
    row.link = link->state;
    row.last_contact = link->last_contact;
    row.reason = link->reason;
  }
  const std::string link_reason = std::move(row.reason);
  row.reason.clear();
  tell_holding(row, event, rights, parts);
  if (row.standing != Standing::member && row.holding != Holding::outside && row.holding != Holding::holds)
    row.reason = rights.members->why_not(member.region);
  if (row.holding != Holding::holds && row.holding != Holding::outside && !link_reason.empty())
    row.reason = link_reason + (row.reason.empty() ? "" : "; " + row.reason);
  return row;
}

// --- agents ---

RightRow right(const core::Agent& agent, const Found& event, const Rights& rights) {
  RightRow row{agent.id.text(), false, false, {}, {}};
  if (auto part = rights.members->takes_part(agent.id.region(), rights.region); !part) {
    row.follow_why = row.query_why = part.error().reason;
  } else if (!reaches(event.feed.audience, event.feed.region, agent, *rights.members)) {
    row.follow_why = row.query_why = "its region is not of the audience \"" + event.feed.audience.text() + "\"";
  } else {
    core::Verdict follow = rights.policy->judge_follow(agent, event.envelope);
    core::Verdict query = rights.policy->judge_query(agent, event.envelope);
    row.follow = follow.admitted;
    row.query = query.admitted;
    row.follow_why = std::move(follow.why);
    row.query_why = std::move(query.why);
  }
  return row;
}

// An agent of this region learns of all agents, an insider from elsewhere of those of its own region, any other of itself.
// Whoever may see the event stands first.
void tell_rights(ExplainReport& report, const Found& event, const core::Agent& asking, const Rights& rights) {
  for (const auto& [id, agent] : rights.agents) {
    if (agent.role == core::Role::node && agent.id.region() != rights.region) continue;
    const bool of_its_own = is_insider(asking, rights) && agent.id.region() == asking.id.region();
    if (asking.id.region() == rights.region || of_its_own || agent.id == asking.id)
      report.rights.push_back(right(agent, event, rights));
  }
  std::stable_partition(report.rights.begin(), report.rights.end(), [](const RightRow& row) { return row.follow || row.query; });
  if (report.rights.size() <= kMaxExplainedAgents) return;
  report.rights_left_out = static_cast<std::uint32_t>(report.rights.size() - kMaxExplainedAgents);
  report.rights.resize(kMaxExplainedAgents);
}

}  // namespace

Result<ExplainReport> explain(const AskExplain& ask, const core::Agent& agent, const Rights& rights, const ExplainParts& parts) {
  ExplainReport report;
  auto found = find_event(ask, agent, rights, parts, report.others);
  if (!found) return tl::unexpected(std::move(found.error()));
  const Found& event = *found;
  report.offset = event.offset;
  report.feed = {event.feed, {event.stamp.sequence, event.hash}};
  report.ordinal = event.stamp.ordinal;
  report.time = physical_ms(event.stamp.time);
  report.publisher = event.stamp.publisher.text();
  report.redacted = event.redacted;
  report.kind = event.envelope.kind;
  report.entity = event.envelope.entity;
  report.status = event.envelope.status;
  report.place = event.envelope.place;
  report.agency = event.envelope.agency;
  report.level = event.envelope.level;
  for (const core::Member& member : rights.members->all()) report.receivers.push_back(receiver(member, event, rights, parts));
  tell_rights(report, event, agent, rights);
  if (!event.redacted) report.topics = live_topics(event.envelope, *rights.members);
  const auto kept_from = parts.journal.first_offset();
  if (!kept_from) return unreadable(kept_from.error());
  report.kept_from = *kept_from;
  return report;
}

}  // namespace lianxi::app
