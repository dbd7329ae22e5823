#include "agents/sdk/once_keys.h"

#include "schemas/journal_batch.h"

namespace lianxi::sdk {
namespace {

Bytes encode_outcome(const Outcome& outcome) {
  StoredAnswer answer;
  answer.accepted = outcome.has_value();
  if (outcome) {
    answer.feed = outcome->feed;
    answer.feed_sequence = outcome->sequence;
    answer.ordinal = outcome->ordinal;
    answer.offset = outcome->offset;
  } else {
    answer.refusal = outcome.error();
  }
  return encode_answers({answer});
}

Outcome decode_outcome(const SQLite::Column& column) {
  const auto* data = static_cast<const std::uint8_t*>(column.getBlob());
  const auto answers = decode_answers(BytesView(data, static_cast<std::size_t>(column.getBytes())));
  if (!answers || answers->size() != 1) throw SQLite::Exception("the outcome of a key cannot be read");
  const StoredAnswer& answer = answers->front();
  if (!answer.accepted) return tl::unexpected(answer.refusal);
  return Receipt{answer.feed, answer.feed_sequence, answer.ordinal, answer.offset};
}

}  // namespace

void run(SQLite::Statement& statement) {
  try {
    statement.exec();
    statement.reset();
  } catch (...) {
    statement.tryReset();
    throw;
  }
}

OnceKeys::OnceKeys(SQLite::Database& database)
    : database_(database),
      find_(database, "SELECT ticket, outcome FROM once_key WHERE key = ?"),
      insert_(database, "INSERT INTO once_key (key, ticket) VALUES (?, ?)"),
      write_(database, "UPDATE once_key SET outcome = ? WHERE ticket = ?") {}

std::optional<OnceKeys::Known> OnceKeys::find(const std::string& key) {
  find_.tryReset();
  find_.bind(1, key);
  std::optional<Known> known;
  if (find_.executeStep()) {
    known = Known{static_cast<Ticket>(find_.getColumn(0).getInt64()), std::nullopt};
    if (!find_.getColumn(1).isNull()) known->outcome = decode_outcome(find_.getColumn(1));
  }
  find_.reset();
  return known;
}

void OnceKeys::insert(const std::string& key, Ticket ticket) {
  insert_.bind(1, key);
  insert_.bind(2, static_cast<std::int64_t>(ticket));
  run(insert_);
}

void OnceKeys::write(Ticket ticket, const Outcome& outcome) {
  const Bytes blob = encode_outcome(outcome);
  write_.bind(1, blob.data(), static_cast<int>(blob.size()));
  write_.bind(2, static_cast<std::int64_t>(ticket));
  run(write_);
}

void OnceKeys::forget(const std::string& prefix) {
  SQLite::Statement statement(database_,
                              "DELETE FROM once_key WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 AND outcome IS NOT NULL");
  statement.bind(1, prefix);
  statement.exec();
}

std::unordered_set<Ticket> OnceKeys::unanswered() {
  std::unordered_set<Ticket> tickets;
  SQLite::Statement statement(database_, "SELECT ticket FROM once_key WHERE outcome IS NULL");
  while (statement.executeStep()) tickets.insert(static_cast<Ticket>(statement.getColumn(0).getInt64()));
  return tickets;
}

}  // namespace lianxi::sdk
