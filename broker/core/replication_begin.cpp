// Feeds of which nothing is held yet, and of which the peer gives what stands behind a retention. First comes the retention, as
// the owner's node wrote and sealed it; then the events behind what it cuts. Who passes either on is believed nothing.
#include "broker/core/replication.h"
#include "schemas/codec/retention_proof.h"

namespace lianxi::core {

// A vector that names only some of what is held would be read as if nothing were held of the others.
bool Replication::may_begin(const Ground& ground, Beginnings& beginnings, const FeedVector& held) {
  const bool whole = beginnings.whole;
  const bool asked = !ground.config.whole_feeds && !whole && held.size() < kMaxLinkVectorFeeds;
  beginnings = {asked, asked, false, whole};
  return asked;
}

bool Replication::take_proof(const FeedHead& held, const Segment& segment, const SealPublicKey& key) {
  if (!begins_with_retention(segment)) return false;
  const FeedId& feed = segment.info().feed;
  // What is taken as a proof is paid for as held, so an event that is to be held must never be: of a feed that is held by now
  // the events follow once more, each with its body.
  if (held.sequence.value > 0 && !lacks_body(segment, Sequence{})) return false;
  const auto proof = read_retention_proof(segment, key);
  if (!proof) return false;
  if (held.sequence.value > 0) return true;
  Bytes bytes = strip_proof(segment);
  std::size_t waiting = 0;
  for (const auto& [place, shown] : shown_)
    if (place.first.region == feed.region) waiting += shown.proof.size();
  if (waiting + bytes.size() > kMaxShownProofBytes)
    std::erase_if(shown_, [&](const auto& entry) { return entry.first.first.region == feed.region; });
  shown_.insert_or_assign({feed, proof->through.sequence}, Beginning{feed, proof->through, proof->at, std::move(bytes)});
  return true;
}

const Beginning* Replication::shown_for(const Segment& segment) const {
  const SegmentInfo& info = segment.info();
  const auto found = shown_.find({info.feed, Sequence(info.first_sequence.value - 1)});
  return found == shown_.end() ? nullptr : &found->second;
}

void Replication::begin(Ground& ground, const Beginning& beginning) {
  const FeedId feed = beginning.feed;
  ground.sequencer.begin_peer(beginning);
  std::erase_if(shown_, [&](const auto& entry) { return entry.first.first == feed; });
}

void Replication::former_gap(Ground& ground, Turn& turn, const Source& source, const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  const std::string peer = to_text(source.id.peer);
  std::string reason = "of " + to_text(feed) + " this node stands at " +
                       std::to_string(ground.sequencer.head(feed).sequence.value) + ", and what the node of " + peer +
                       " holds begins at " + std::to_string(segment.info().first_sequence.value) +
                       ": bring a node that holds what lies between to a link with this one";
  ground.standing.raise(turn, "former_gap", to_text(feed) + " at " + peer, reason);
  back_off(ground, turn, source, reason);
  source.detour->retry_at = turn.now + kRefusedLinkRetryMs;
}

void Replication::former_gaps_over(Ground& ground, Turn& turn, const LinkId& id) {
  for (const auto& [feed, head] : ground.sequencer.heads())
    if (feed.region == ground.region() && (lanes_of(id.lanes) & mask_of(feed.lane)) != 0)
      ground.standing.end(turn, "former_gap", to_text(feed) + " at " + to_text(id.peer),
                          "the node of " + to_text(id.peer) + " has shown all that it holds of " + to_text(feed));
}

}  // namespace lianxi::core
