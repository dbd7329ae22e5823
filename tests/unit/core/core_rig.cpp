#include "tests/unit/core/core_rig.h"

#include <algorithm>
#include <stdexcept>

#include "broker/core/kinds/alert.h"

namespace lianxi::core {
namespace {

void must(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

Hash entropy_of(std::uint64_t turn, RegionCode region) {
  Bytes seed;
  for (std::uint64_t n : {turn, std::uint64_t{region.value}})
    for (int i = 0; i < 8; ++i) seed.push_back(static_cast<std::uint8_t>(n >> (8 * i)));
  return blake2b(seed);
}

std::string word_of(const Event& event) {
  if (const auto* report = std::get_if<IncidentReport>(&event.body)) return report->text;
  if (const auto* alert = std::get_if<Alert>(&event.body)) return alert->infos.front().headline;
  if (const auto* resource = std::get_if<Resource>(&event.body)) return resource->name;
  return "?";
}

}  // namespace

SealKeyPair seal_keys_of(RegionCode region) {
  return seal_keys_from_seed(entropy_of(7, region));
}

std::shared_ptr<const Members> four_cities(std::vector<Group> groups) {
  std::vector<Member> members;
  for (const RegionCode region : {kQuzhou, kHuangshan, kNanping, kShangrao}) {
    Member member;
    member.region = region;
    member.seal_key = seal_keys_of(region).public_key;
    members.push_back(std::move(member));
  }
  return std::make_shared<const Members>(std::move(members), std::move(groups));
}

std::shared_ptr<const Policy> open_policy() {
  return std::make_shared<const Policy>(std::vector<Grant>{{"*.*.*", {Rule{}}, {Rule{}}, {Rule{}}}});
}

void Disk::commit(const JournalBatch& batch) {
  must(batch.first_offset == next_offset, "the batch begins at the next offset");
  for (const SessionKey& key : batch.closed) {
    std::erase_if(sessions, [&](const auto& row) { return row.first.first == key; });
    std::erase_if(answers, [&](const auto& row) { return std::get<0>(row.first) == key; });
  }
  for (const StoredSegment& stored : batch.segments) {
    const auto segment = Segment::parse(stored.bytes);
    must(segment.has_value(), "a stored segment can be read");
    must(stored.info.first_offset == next_offset && segment->info().first_offset == next_offset, "offsets are dense");
    FeedHead& head = heads[stored.info.feed];
    for (const Beginning& beginning : batch.beginnings) {
      if (beginning.feed != stored.info.feed || head.sequence.value > 0) continue;
      head = beginning.through;
      beginnings.push_back(beginning);
    }
    const auto verified = verify_chain(*segment, head);
    must(verified.has_value() && *verified == stored.last, "a segment continues its feed");
    must(stored.info.count == segment->records().size(), "the segment's count is told");
    must(stored.seal && stored.seal->sequence == stored.last.sequence && stored.seal->hash == stored.last.hash,
         "each segment is sealed");
    head = stored.last;
    next_offset = Offset{next_offset.value + stored.info.count};
    for (const RecordView& record : segment->records()) {
      last_time = std::max(last_time, record.stamp.time);
      const auto event = decode_event(record.body);
      const auto* retention = event ? std::get_if<Retention>(&event->body) : nullptr;
      if (retention == nullptr) continue;
      retained[stored.info.feed] = {
          stored.info.feed, retention->through, record.stamp.sequence,
          Offset{stored.info.first_offset.value + (record.stamp.sequence.value - stored.info.first_sequence.value)}};
    }
    segments.push_back(stored);
  }
  for (const SessionRow& row : batch.sessions) {
    sessions[{row.key, row.lane}] = row;
    std::erase_if(answers, [&](const auto& a) {
      return std::get<0>(a.first) == row.key && std::get<1>(a.first) == row.lane && std::get<2>(a.first) <= row.answered_through;
    });
  }
  if (batch.fence) fence = batch.fence;
  for (const CursorKey& key : batch.cursors_gone) cursors.erase(key);
  for (const CursorRow& row : batch.cursors) cursors[row.key] = row;
  for (const AnswerRun& run : batch.answers)
    for (std::size_t i = 0; i < run.answers.size(); ++i)
      must(answers.emplace(std::tuple(run.key, run.lane, Sequence{run.first.value + i}), run.answers[i]).second,
           "a first answer is written once");
}

// What the view would give: stock by the own events, every message of every mobilisation.
void Disk::load_threads(const StoredSegment& stored, RegionCode region, LoadedState& state) {
  const FeedId& feed = stored.info.feed;
  const auto segment = Segment::parse(stored.bytes);
  EventReader reader;
  for (const RecordView& record : segment->records()) {
    if (!reader.read(record.body)) continue;
    const Decision version = decision_of(feed.epoch, record.stamp.ordinal).value();
    if (const ResourceView* resource = reader.resource(); resource != nullptr && feed.region == region)
      state.stock.remember(reader.envelope(), *resource, version);
    if (const Mobilisation* message = reader.mobilisation())
      state.mobilisations.push_back({reader.envelope(), {feed.region, version, record.stamp.time, *message}});
  }
}

LoadedState Disk::load(RegionCode region, Epoch epoch) const {
  LoadedState state;
  state.next_offset = next_offset;
  for (const auto& [feed, head] : heads) state.heads.push_back({feed, head});
  state.last_time = last_time;
  state.fence = fence;
  state.quarantined = quarantined;
  state.beginnings = beginnings;
  for (const auto& [feed, place] : retained) state.retained.push_back(place);
  for (const auto& [key, row] : sessions) state.sessions.push_back(row);
  for (const auto& [key, row] : cursors) state.cursors.push_back(row);
  for (const auto& [key, answer] : answers) {
    const auto& [session, lane, sequence] = key;
    state.answers.push_back(AnswerRun{session, lane, sequence, {answer}});
  }
  for (const StoredSegment& stored : segments) load_threads(stored, region, state);
  for (const StoredSegment& stored : segments) {
    if (stored.info.feed.region != region) continue;
    const auto segment = Segment::parse(stored.bytes);
    for (const RecordView& record : segment->records()) {
      if (stored.info.feed.epoch == epoch) state.last_ordinal = std::max(state.last_ordinal, record.stamp.ordinal);
      const auto event = decode_event(record.body);
      if (event->envelope.kind == Kind::alert) state.alerts.emplace(alert_memory_key(*event), alert_content_hash(*event));
    }
  }
  return state;
}

RecordView Disk::record(const FeedId& feed, Sequence sequence) const {
  for (const StoredSegment& stored : segments) {
    if (stored.info.feed != feed || sequence < stored.info.first_sequence || sequence > stored.last.sequence) continue;
    return Segment::parse(stored.bytes)->records()[sequence.value - stored.info.first_sequence.value];
  }
  must(false, "the event is held");
  return {};
}

std::vector<Event> Disk::events(RegionCode region) const {
  std::vector<Event> found;
  for (const StoredSegment& stored : segments) {
    if (stored.info.feed.region != region) continue;
    const auto segment = Segment::parse(stored.bytes);
    for (const RecordView& record : segment->records()) found.push_back(decode_event(record.body).value());
  }
  return found;
}

CoreRig::CoreRig(RegionCode own, std::shared_ptr<const Members> members, std::shared_ptr<const Policy> policy)
    : core(CoreConfig{own, Epoch{1}, Incarnation{9}, policy, members, "test"}, LoadedState{}),
      region(own),
      members_(std::move(members)),
      policy_(std::move(policy)) {}

CoreConfig CoreRig::config() const {
  return {region, epoch_, Incarnation{8 + epoch_.value}, policy_, members_, "test", {}, whole_feeds};
}

Effects CoreRig::turn(std::vector<Input> inputs) {
  core.begin(now, entropy_of(++turns_, region));
  // The view has read what was committed before.
  if (Retained news; !view_waits && disk.retained != told_) {
    told_ = disk.retained;
    for (const auto& [feed, place] : told_) news.feeds.push_back(place);
    core.step(input(std::move(news)));
  }
  for (const Input& input : inputs) core.step(input);
  Effects effects = core.finish();
  auto touched = effects.touched.begin();
  for (StoredSegment& segment : effects.batch.segments) {
    if (segment.info.feed.region != region || segment.info.feed.epoch != epoch_) continue;
    must(touched != effects.touched.end() && touched->feed == segment.info.feed && touched->head == segment.last,
         "each own segment has its head to seal, in order");
    segment.seal = sign_seal(seal_keys_of(region).secret_key, touched->feed, touched->head);
    ++touched;
  }
  must(touched == effects.touched.end(), "no head without a segment");
  disk.commit(effects.batch);
  return effects;
}

void CoreRig::restart() {
  core = BrokerCore(config(), disk.load(region, epoch_));
}

void CoreRig::restore(const Disk& backup) {
  disk = backup;
  epoch_ = Epoch{epoch_.value + 1};
  disk.fence = Fence{epoch_, Fence::State::begun, 0, {}};
  restart();
}

Effects CoreRig::pass(TimeMs ms) {
  Effects all;
  const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (const TimeMs until = now + ms; now < until;) {
    now += 100;
    Effects effects = step(Tick{});
    append(all.sends, effects.sends);
    append(all.link_sends, effects.link_sends);
    append(all.link_resets, effects.link_resets);
    append(all.deliveries, effects.deliveries);
    append(all.counted, effects.counted);
    append(all.alarms, effects.alarms);
  }
  return all;
}

Input CoreRig::says(const Agent& agent, Message message, const std::string& connection) const {
  return input(AgentMessage{{1, connection.empty() ? agent.id.text() : connection}, agent, std::move(message)});
}

Effects CoreRig::hello(const Agent& agent, std::uint64_t session, std::vector<std::uint64_t> close) {
  Hello hello;
  hello.session = SessionId{session};
  for (const std::uint64_t id : close) hello.close_sessions.push_back(SessionId{id});
  return turn({says(agent, hello)});
}

Publish CoreRig::publish_message(std::uint64_t session, Lane lane, std::uint64_t first, const std::vector<Event>& events,
                                 std::uint64_t answered_through) {
  Publish publish;
  publish.session = SessionId{session};
  publish.lane = lane;
  publish.first_sequence = Sequence{first};
  publish.answered_through = Sequence{answered_through};
  for (const Event& event : events) publish.events.push_back(encode_event(event));
  return publish;
}

Transcript CoreRig::publish(const Agent& agent, std::uint64_t session, std::uint64_t first, const std::vector<Event>& events,
                            std::uint64_t answered_through) {
  const Lane lane = events.empty() ? Lane::normal : lane_of(events.front());
  return lines_of(turn({says(agent, publish_message(session, lane, first, events, answered_through))}).sends);
}

Deliver CoreRig::perform(const DeliverOrder& order, std::size_t max_segments) const {
  Deliver deliver{order.follow, order.from, false, {}};
  for (const Offset proof : order.proofs) {
    const auto stored = std::find_if(disk.segments.begin(), disk.segments.end(), [&](const StoredSegment& s) {
      return s.info.first_offset <= proof && proof.value < s.info.first_offset.value + s.info.count;
    });
    must(stored != disk.segments.end(), "a proof stands in the journal");
    const auto segment = Segment::parse(stored->bytes);
    std::optional<SegmentWriter> cut;
    for (std::size_t i = proof.value - stored->info.first_offset.value; i < segment->records().size(); ++i) {
      const RecordView& record = segment->records()[i];
      const Hash before = i == 0 ? stored->info.previous : segment->records()[i - 1].hash;
      if (cut)
        cut->append_redacted(record);
      else
        cut.emplace(stored->info.feed, FeedHead{Sequence{record.stamp.sequence.value - 1}, before}, proof).append(record);
    }
    const Bytes bytes = std::move(*cut).finish(*stored->seal);
    deliver.segments.insert(deliver.segments.end(), bytes.begin(), bytes.end());
  }
  if (!order.proofs.empty()) return deliver;  // a message of their own
  for (const StoredSegment& stored : disk.segments) {
    const Offset end{stored.info.first_offset.value + stored.info.count};
    if (end <= order.from || stored.info.first_offset >= order.head) continue;
    if (max_segments == 0) break;
    const FeedId& feed = stored.info.feed;
    const auto have =
        std::find_if(order.spec->have.begin(), order.spec->have.end(), [&](const FeedPosition& p) { return p.feed == feed; });
    const bool wanted = (order.spec->lanes & mask_of(feed.lane)) != 0 &&
                        (have == order.spec->have.end() || have->head.sequence < stored.last.sequence) &&
                        (order.spec->regions.empty() || std::find(order.spec->regions.begin(), order.spec->regions.end(),
                                                                  feed.region) != order.spec->regions.end()) &&
                        (order.spec->mode == FollowMode::events || members_->holds(feed.audience, order.spec->agent.id.region()));
    if (wanted) {
      const Bytes bytes = with_seal(stored.bytes, *stored.seal);
      if (deliver.segments.size() + bytes.size() > order.max_bytes) break;
      deliver.segments.insert(deliver.segments.end(), bytes.begin(), bytes.end());
      --max_segments;
    }
    deliver.next = end;
  }
  deliver.caught_up = deliver.next >= order.head;
  return deliver;
}

std::vector<Deliver> CoreRig::serve(const Effects& effects) {
  std::vector<Deliver> all;
  std::vector<DeliverOrder> orders = effects.deliveries;
  while (!orders.empty()) {
    std::vector<Input> reports;
    for (const DeliverOrder& order : orders) {
      Deliver deliver = perform(order);
      const bool sent = deliver.next > order.from || !deliver.segments.empty();
      reports.push_back(input(Delivered{order.connection, order.follow, deliver.next, deliver.segments.size(), sent, false}));
      if (sent) all.push_back(std::move(deliver));
    }
    orders = turn(std::move(reports)).deliveries;
  }
  return all;
}

Transcript lines_of(const std::vector<Send>& sends) {
  Transcript lines;
  for (const Send& send : sends) {
    if (const auto* refused = std::get_if<Refused>(&send.message))
      lines.push_back("refused " + std::string(to_word(refused->refusal.code)) + " " + refused->refusal.field);
    const auto* answers = std::get_if<Answers>(&send.message);
    if (answers == nullptr) continue;
    for (const ReceiptRange& r : answers->receipts)
      for (std::uint64_t i = 0; i < r.count; ++i)
        lines.push_back(std::to_string(r.first_sequence.value + i) + " ok " + r.audience.text() + "#" +
                        std::to_string(r.first_feed_sequence.value + i) + " @" + std::to_string(r.first_offset.value + i));
    for (const SequenceRefusal& r : answers->refusals)
      lines.push_back(std::to_string(r.sequence.value) + " " + std::string(to_word(r.refusal.code)) + " " + r.refusal.field +
                      (r.refusal.retry_after_ms > 0 ? " retry" : ""));
  }
  return lines;
}

std::vector<RefusalCode> codes(const Effects& effects) {
  std::vector<RefusalCode> found;
  for (const Counted& counted : effects.counted) found.push_back(counted.code);
  return found;
}

std::vector<std::string> words(const std::vector<Event>& events) {
  std::vector<std::string> found;
  for (const Event& event : events) found.push_back(word_of(event));
  return found;
}

std::vector<std::string> words(const std::vector<Deliver>& deliveries) {
  std::vector<std::string> found;
  for (const Deliver& deliver : deliveries) {
    const auto segments = parse_segments(deliver.segments).value();
    for (const Segment& segment : segments)
      for (const RecordView& record : segment.records()) found.push_back(word_of(decode_event(record.body).value()));
  }
  return found;
}

}  // namespace lianxi::core
