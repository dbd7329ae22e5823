#include "schemas/codec/retention_proof.h"

#include "schemas/codec/event_codec.h"

namespace lianxi {
namespace {

tl::unexpected<Refusal> no_proof(const FeedId& feed, const std::string& why) {
  return refuse(RefusalCode::feed_broken, "retention", "no proof that " + to_text(feed) + " may begin in its middle: " + why);
}

// Nothing if the first event is no retention of the feed that it stands in.
std::optional<Retention> retention_in(const Segment& segment) {
  if (segment.records().empty() || segment.info().filtered) return std::nullopt;
  const RecordView& first = segment.records().front();
  const FeedId& feed = segment.info().feed;
  const auto event = first.redacted ? refuse(RefusalCode::malformed, {}, {}) : decode_event(first.body);
  const auto* retention = event ? std::get_if<Retention>(&event->body) : nullptr;
  if (retention == nullptr) return std::nullopt;
  const Envelope& envelope = event->envelope;
  const bool its_own = envelope.status == Status::Actual && envelope.audience == feed.audience &&
                       envelope.entity == retention_entity(feed.region, feed.lane, feed.audience) &&
                       retention->epoch == feed.epoch && retention->lane == feed.lane &&
                       retention->position.value + 1 == first.stamp.sequence.value && retention->ordinal < first.stamp.ordinal;
  const Sequence through = retention->through.sequence;
  if (!its_own || through.value == 0 || through > retention->position) return std::nullopt;
  return *retention;
}

}  // namespace

bool begins_with_retention(const Segment& segment) {
  return retention_in(segment).has_value();
}

Result<RetentionProof> read_retention_proof(const Segment& segment, const SealPublicKey& key) {
  const FeedId& feed = segment.info().feed;
  const auto retention = retention_in(segment);
  if (!retention) return no_proof(feed, "the event is no retention of it");
  const FeedHead before{Sequence(segment.info().first_sequence.value - 1), segment.info().previous};
  const auto head = verify_chain(segment, before);
  if (!head) return no_proof(feed, head.error().reason);
  const auto& seal = segment.seal();
  if (!seal || seal->sequence != head->sequence || seal->hash != head->hash || !verify_seal(key, feed, *seal))
    return no_proof(feed, "the retention is not under its region's seal");
  const RecordView& first = segment.records().front();
  return RetentionProof{retention->through, first.stamp.sequence, first.hash};
}

Bytes strip_proof(const Segment& sealed) {
  const SegmentInfo& info = sealed.info();
  SegmentWriter writer(info.feed, {Sequence(info.first_sequence.value - 1), info.previous}, info.first_offset);
  writer.append(sealed.records().front());
  for (std::size_t i = 1; i < sealed.records().size(); ++i) writer.append_redacted(sealed.records()[i]);
  return std::move(writer).finish(*sealed.seal());
}

}  // namespace lianxi
