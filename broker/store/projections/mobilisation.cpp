#include "broker/store/projections/mobilisation.h"

#include <algorithm>
#include <utility>

#include "schemas/codec/event_codec.h"

namespace lianxi::store {

namespace {

// As the resource itself is, for a holding that is furthest on.
std::optional<ResourceState> resource_state(std::optional<MobilisationState> furthest) {
  if (!furthest) return std::nullopt;
  switch (*furthest) {
    case MobilisationState::offered:
    case MobilisationState::requested:
    case MobilisationState::provisional:
    case MobilisationState::requisitioned:
      return ResourceState::reserved;
    case MobilisationState::committed:
      return ResourceState::committed;
    case MobilisationState::returning:
      return ResourceState::returning;
    default:
      return ResourceState::deployed;
  }
}

Hash hash_row(const RowKey& key, const std::string& audience, const Thread& thread) {
  RowHasher row("mobilisation");
  row.text(key.entity)
      .text(audience)
      .number(static_cast<std::int64_t>(key.status))
      .number(static_cast<std::int64_t>(thread.state))
      .number(thread.over ? 1 : 0)
      .number(thread.updated_at);
  for (const ThreadHolding& holding : thread.holdings) {
    const HoldingRow& of = holding.row;
    row.number(of.region.value)
        .text(of.resource)
        .text(of.item)
        .number(static_cast<std::int64_t>(of.state))
        .number(of.held ? 1 : 0);
    row.number(of.quantity_milli).number(of.until.value_or(0)).number(of.updated_at);
  }
  return row.finish();
}

}  // namespace

Thread StoredThread::add_up(RegionCode home) const {
  std::vector<ThreadSaid> said;
  said.reserve(messages.size());
  for (const Message& message : messages)
    said.push_back({message.region, message.version, message.time, &std::get<Mobilisation>(message.event.body)});
  return lianxi::add_up(home, said);
}

const Envelope* StoredThread::envelope(const Thread& thread) const {
  for (const Message& message : messages)
    if (&std::get<Mobilisation>(message.event.body) == thread.request) return &message.event.envelope;
  return messages.empty() ? nullptr : &messages.front().event.envelope;
}

StoredThread read_thread(Run& run) {
  StoredThread thread;
  while (run.next()) {
    auto event = decode_event(run.blob(4));
    if (!event || !std::holds_alternative<Mobilisation>(event->body))
      fail(StoreError::corrupt, "a stored message of a mobilisation cannot be read");
    thread.messages.push_back({RegionCode(static_cast<std::uint32_t>(run.number(0))), run.number(1), Hlc(run.number_u64(2)),
                               run.text(3), std::move(*event)});
  }
  return thread;
}

MobilisationProjection::MobilisationProjection(SQLite::Database& db)
    : db_(db),
      find_(db, "SELECT id FROM mobilisation WHERE entity = ? AND audience = ? AND status = ?"),
      insert_(db,
              "INSERT INTO mobilisation (id, entity, audience, status, region, sent, incident, place, over, row_hash)"
              " VALUES (?, ?, ?, ?, ?, 0, '', '', 0, x'')"),
      message_(db,
               "INSERT INTO mobilisation_message (id, mobilisation, region, version, time, publisher, event_hash, event_bytes)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      hash_(db, "SELECT row_hash, region FROM mobilisation WHERE id = ?"),
      messages_(db,
                "SELECT region, version, time, publisher, event_bytes FROM mobilisation_message WHERE mobilisation = ?"
                " ORDER BY region, version"),
      update_(db, "UPDATE mobilisation SET sent = ?, incident = ?, place = ?, over = ?, row_hash = ? WHERE id = ?"),
      holding_(db,
               "INSERT INTO holding (mobilisation, region, resource, item, status, state, held, quantity_milli, until, taken_at)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      old_holdings_(db, "SELECT resource, status FROM holding WHERE mobilisation = ?"),
      no_holdings_(db, "DELETE FROM holding WHERE mobilisation = ?"),
      delete_(db, "DELETE FROM mobilisation WHERE id = ?"),
      holdings_of_(db, "SELECT state, held, quantity_milli, until, taken_at FROM holding WHERE resource = ? AND status = ?"),
      put_sum_(db, "INSERT OR REPLACE INTO holding_sum (entity, status, held_milli, state) VALUES (?, ?, ?, ?)"),
      no_sum_(db, "DELETE FROM holding_sum WHERE entity = ? AND status = ?") {}

std::int64_t MobilisationProjection::row_of(const Applied& applied) {
  const Envelope& envelope = applied.envelope;
  {
    Run found(find_);
    if (found.put(envelope.entity).put(applied.audience.id).put(static_cast<int>(envelope.status)).next()) return found.number(0);
  }
  Run(insert_)
      .put(applied.offset.value)
      .put(envelope.entity)
      .put(applied.audience.id)
      .put(static_cast<int>(envelope.status))
      .put(applied.home.value)
      .exec();
  return to_stored(applied.offset.value);
}

void MobilisationProjection::apply(const Applied& applied) {
  const std::int64_t id = row_of(applied);
  const RecordView& record = applied.record;
  Run(message_)
      .put(applied.offset.value)
      .put(id)
      .put(applied.feed.region.value)
      .put(applied.version)
      .put(record.stamp.time.value)
      .put(record.stamp.publisher.text())
      .put(BytesView(record.hash))
      .put(record.body)
      .exec();
  applied.audience.digest.add(record.hash);
  touched_[id] = {{applied.envelope.entity, applied.audience.id, applied.envelope.status}, &applied.audience};
}

void MobilisationProjection::drop(const Source& source, Version cut, AudienceRow& audience) {
  SQLite::Statement gone(
      db_,
      "SELECT m.id, m.event_hash, t.id, t.entity, t.status FROM mobilisation_message m"
      " JOIN mobilisation t ON t.id = m.mobilisation WHERE m.region = ? AND m.version <= ? AND t.audience = ?");
  std::vector<std::int64_t> ids;
  Run run(gone);
  for (run.put(source.region.value).put(cut).put(source.audience); run.next();) {
    ids.push_back(run.number(0));
    audience.digest.subtract(hash_of(run.blob(1), "mobilisation message"));
    touched_[run.number(2)] = {{run.text(3), source.audience, static_cast<Status>(run.number(4))}, &audience};
  }
  SQLite::Statement drop_message(db_, "DELETE FROM mobilisation_message WHERE id = ?");
  for (const std::int64_t id : ids) Run(drop_message).put(id).exec();
}

void MobilisationProjection::flush(const HeldVisitor& held) {
  for (const auto& [id, of] : touched_) write(id, of);
  touched_.clear();
  for (const auto& [resource, status] : std::exchange(moved_, {})) sum(resource, status, held);
}

void MobilisationProjection::write(std::int64_t id, const Touched& of) {
  RegionCode home;
  {
    Run stored(hash_);
    if (!stored.put(id).next()) fail(StoreError::corrupt, "a message is of no mobilisation");
    if (const BytesView hash = stored.blob(0); !hash.empty()) of.audience->digest.subtract(hash_of(hash, "mobilisation"));
    home = RegionCode(static_cast<std::uint32_t>(stored.number(1)));
  }
  StoredThread stored;
  {
    Run run(messages_);
    run.put(id);
    stored = read_thread(run);
  }
  {
    Run old(old_holdings_);
    for (old.put(id); old.next();) moved_.insert({old.text(0), static_cast<Status>(old.number(1))});
  }
  Run(no_holdings_).put(id).exec();
  if (stored.messages.empty()) {
    Run(delete_).put(id).exec();
    return;
  }
  const Thread thread = stored.add_up(home);
  const Envelope& envelope = *stored.envelope(thread);
  const Hash hash = hash_row(of.key, of.audience->name, thread);
  of.audience->digest.add(hash);
  Run(update_)
      .put(thread.first == nullptr ? TimeMs{0} : thread.first->sent)
      .put(thread.request == nullptr ? std::string() : thread.request->incident)
      .put(envelope.place.text())
      .put(thread.over ? 1 : 0)
      .put(BytesView(hash))
      .put(id)
      .exec();
  for (const ThreadHolding& holding : thread.holdings) {
    const HoldingRow& row = holding.row;
    if (row.resource.empty()) continue;
    Run(holding_)
        .put(id)
        .put(row.region.value)
        .put(row.resource)
        .put(row.item)
        .put(static_cast<int>(of.key.status))
        .put(static_cast<int>(row.state))
        .put(row.held ? 1 : 0)
        .put(row.quantity_milli)
        .put_optional(holding.lapses ? row.until : std::nullopt)
        .put(physical_ms(holding.taken_at))
        .exec();
    moved_.insert({row.resource, of.key.status});
  }
}

// A promise with an end has lapsed once its owner has promised anything of the resource behind that end: by stamps alone.
void MobilisationProjection::sum(const std::string& resource, Status status, const HeldVisitor& held) {
  struct Held {
    MobilisationState state{};
    std::int64_t quantity = 0;
    std::optional<TimeMs> until;
  };
  std::vector<Held> all;
  TimeMs latest = 0;
  Run run(holdings_of_);
  for (run.put(resource).put(static_cast<int>(status)); run.next();) {
    latest = std::max(latest, run.number(4));
    if (run.number(1) != 0)
      all.push_back({static_cast<MobilisationState>(run.number(0)), run.number(2), run.optional_number<TimeMs>(3)});
  }
  std::int64_t milli = 0;
  std::optional<MobilisationState> furthest;
  for (const Held& one : all) {
    if (one.until && *one.until <= latest) continue;
    if (__builtin_add_overflow(milli, one.quantity, &milli)) milli = INT64_MAX;
    furthest = std::max(furthest.value_or(one.state), one.state);
  }
  const auto state = resource_state(furthest);
  if (furthest) {
    const auto number = state ? std::optional(static_cast<int>(*state)) : std::nullopt;
    Run(put_sum_).put(resource).put(static_cast<int>(status)).put(milli).put_optional(number).exec();
  } else {
    Run(no_sum_).put(resource).put(static_cast<int>(status)).exec();
  }
  if (held) held(resource, status, milli, state);
}

}  // namespace lianxi::store
