// The rows of one commit.
#include "broker/store/journal_file.h"

namespace lianxi::store {

SQLite::Statement& JournalFile::prepared(std::unique_ptr<SQLite::Statement>& slot, const char* sql) {
  if (!slot) slot = std::make_unique<SQLite::Statement>(*db_, sql);
  return *slot;
}

void JournalFile::write_birth(const Birth& birth) {
  const JournalMeta& meta = birth.meta;
  const std::pair<std::string, std::uint64_t> values[] = {
      {"region", meta.identity.region.value},           {"epoch", meta.identity.epoch.value},
      {"incarnation", meta.identity.incarnation.value}, {"file", meta.file},
      {"first_offset", meta.first_offset.value},        {"opening_ordinal", meta.opening_ordinal.value},
      {"opening_time", meta.opening_time.value}};
  for (const auto& [name, value] : values) {
    Run(prepared(sql_.meta, "INSERT INTO meta (name, value) VALUES (?, ?)")).put(name).put(value).exec();
  }
  for (const FeedPosition& position : birth.state.heads) (void)feed_row(position.feed, position.head);
  write_sessions(birth.state.sessions);
  write_answers(birth.state.answers);
  cursors_.write(birth.state.cursors);
  if (birth.state.fence) forks_.write(*birth.state.fence);
  for (const Quarantined& row : birth.state.quarantined) forks_.write(row);
  for (Beginning row : birth.state.beginnings) {
    row.proof.clear();  // it stays where the feed begins
    beginnings_.write(row);
  }
  meta_ = meta;
  next_ = meta.first_offset;
}

std::int64_t JournalFile::feed_row(const FeedId& feed, const FeedHead& opening) {
  const auto found = feeds_.find(feed);
  if (found != feeds_.end()) return found->second.row;
  const auto row = static_cast<std::int64_t>(feeds_.size()) + 1;
  Run(prepared(sql_.feed,
               "INSERT INTO feed (id, region, epoch, lane, audience, opening_sequence, opening_hash)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)"))
      .put(row)
      .put(feed.region.value)
      .put(feed.epoch.value)
      .put(static_cast<int>(feed.lane))
      .put(feed.audience.text())
      .put(opening.sequence.value)
      .put(BytesView(opening.hash))
      .exec();
  feeds_[feed] = {row, opening};
  return row;
}

void JournalFile::write_beginning(const Beginning& beginning) {
  if (feeds_.contains(beginning.feed))
    fail(StoreError::corrupt, to_text(beginning.feed) + " is held, and cannot begin again at sequence " +
                                  std::to_string(beginning.through.sequence.value + 1));
  (void)feed_row(beginning.feed, beginning.through);
  beginnings_.write(beginning);
}

void JournalFile::write_segment(const StoredSegment& segment) {
  const SegmentInfo& info = segment.info;
  const std::int64_t row = feed_row(info.feed, {});
  Feed& feed = feeds_[info.feed];
  const bool dense = info.count > 0 && info.first_offset == next_ && info.first_sequence.value == feed.head.sequence.value + 1 &&
                     segment.last.sequence.value == feed.head.sequence.value + info.count;
  if (!dense || info.previous != feed.head.hash) {
    fail(StoreError::corrupt, "segment of " + to_text(info.feed) + " from sequence " + std::to_string(info.first_sequence.value) +
                                  " at offset " + std::to_string(info.first_offset.value) + " does not follow sequence " +
                                  std::to_string(feed.head.sequence.value) + " at offset " + std::to_string(next_.value));
  }
  Run(prepared(sql_.segment, "INSERT INTO segment (offset, count, feed, first_sequence, bytes) VALUES (?, ?, ?, ?, ?)"))
      .put(info.first_offset.value)
      .put(info.count)
      .put(row)
      .put(info.first_sequence.value)
      .put(BytesView(segment.bytes))
      .exec();
  const bool sealed = segment.seal && segment.seal->sequence == segment.last.sequence && segment.seal->hash == segment.last.hash;
  Run seal(prepared(sql_.seal, "INSERT INTO seal (feed, sequence, offset, hash, signature) VALUES (?, ?, ?, ?, ?)"));
  seal.put(row).put(segment.last.sequence.value).put(info.first_offset.value).put(BytesView(segment.last.hash));
  if (sealed) {
    seal.put(BytesView(segment.seal->signature));
  } else {
    seal.put_null();
  }
  seal.exec();
  feed.head = segment.last;
  next_ = Offset(next_.value + info.count);
}

void JournalFile::write_sessions(const std::vector<SessionRow>& sessions) {
  for (const SessionRow& session : sessions) {
    Run(prepared(sql_.session,
                 "INSERT OR REPLACE INTO session (agent, session, lane, high_water, answered_through, used_at)"
                 " VALUES (?, ?, ?, ?, ?, ?)"))
        .put(session.key.agent.text())
        .put(session.key.session.value)
        .put(static_cast<int>(session.lane))
        .put(session.high_water.value)
        .put(session.answered_through.value)
        .put(session.used_at)
        .exec();
    drop_held(session);
  }
}

// What stays a while longer is left out when it is loaded.
void JournalFile::drop_held(const SessionRow& session) {
  std::uint64_t& through = dropped_through_[{session.key, session.lane}];
  const bool all = session.answered_through == session.high_water && session.answered_through.value != through;
  if (!all && session.answered_through.value < through + kMinAnswersDropped) return;
  through = session.answered_through.value;
  Run(prepared(sql_.answered, "DELETE FROM answer WHERE agent = ? AND session = ? AND lane = ? AND first <= ? AND last <= ?"))
      .put(session.key.agent.text())
      .put(session.key.session.value)
      .put(static_cast<int>(session.lane))
      .put(through)
      .put(through)
      .exec();
}

void JournalFile::write_answers(const std::vector<AnswerRun>& answers) {
  for (const AnswerRun& run : answers) {
    if (run.answers.empty()) continue;
    const Bytes blob = encode_answers(run.answers);
    Run(prepared(sql_.answer,
                 "INSERT OR REPLACE INTO answer (agent, session, lane, first, last, answers) VALUES (?, ?, ?, ?, ?, ?)"))
        .put(run.key.agent.text())
        .put(run.key.session.value)
        .put(static_cast<int>(run.lane))
        .put(run.first.value)
        .put(run.first.value + run.answers.size() - 1)
        .put(BytesView(blob))
        .exec();
  }
}

void JournalFile::forget(const SessionKey& session) {
  std::erase_if(dropped_through_, [&](const auto& held) { return held.first.first == session; });
  Run(prepared(sql_.close_session, "DELETE FROM session WHERE agent = ? AND session = ?"))
      .put(session.agent.text())
      .put(session.session.value)
      .exec();
  Run(prepared(sql_.close_answers, "DELETE FROM answer WHERE agent = ? AND session = ?"))
      .put(session.agent.text())
      .put(session.session.value)
      .exec();
}

}  // namespace lianxi::store
