// What is looked at in a simulated node.
#include <sqlite3.h>

#include <filesystem>

#include "broker/store/journal_audit.h"
#include "schemas/codec/event_codec.h"
#include "tests/sim/forge.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {
namespace {

constexpr std::size_t kCatchUpBytes = 256 * 1024;

constexpr const char* kActualRows[] = {
    "SELECT 'alert', a.name, t.entity, t.region, t.version, t.msg_type, t.level, t.headline, hex(t.event_hash) FROM alert t"
    " JOIN audience a ON a.id = t.audience WHERE t.status = 0 AND a.name LIKE ?1 ORDER BY a.name, t.entity",
    "SELECT 'incident', a.name, t.entity, t.region, t.state, t.place, t.incident_class, t.level, t.title, t.updated_at,"
    " hex(t.row_hash) FROM incident t JOIN audience a ON a.id = t.audience WHERE t.status = 0 AND a.name LIKE ?1"
    " ORDER BY a.name, t.entity",
    "SELECT 'report', a.name, i.entity, t.region, t.version, t.publisher FROM report t JOIN incident i ON i.id = t.incident"
    " JOIN audience a ON a.id = i.audience WHERE i.status = 0 AND a.name LIKE ?1 ORDER BY a.name, i.entity, t.region, t.version",
    "SELECT 'resource', a.name, t.entity, t.region, t.removed_version, t.record_version, t.name, t.state_version, "
    "t.record_state, t.changed_state,"
    " t.quantity_version, t.quantity_milli, t.place_version, t.place, hex(t.row_hash) FROM resource t"
    " JOIN audience a ON a.id = t.audience WHERE t.status = 0 AND a.name LIKE ?1 ORDER BY a.name, t.entity",
    "SELECT 'mobilisation', a.name, t.entity, t.region, t.sent, t.over, hex(t.row_hash) FROM mobilisation t"
    " JOIN audience a ON a.id = t.audience WHERE t.status = 0 AND a.name LIKE ?1 ORDER BY a.name, t.entity",
    "SELECT 'message', a.name, t.entity, m.region, m.version, hex(m.event_hash) FROM mobilisation_message m"
    " JOIN mobilisation t ON t.id = m.mobilisation JOIN audience a ON a.id = t.audience"
    " WHERE t.status = 0 AND a.name LIKE ?1 ORDER BY a.name, t.entity, m.region, m.version",
    "SELECT 'holding', a.name, t.entity, h.region, h.resource, h.item, h.state, h.held, h.quantity_milli, h.until, h.taken_at"
    " FROM holding h JOIN mobilisation t ON t.id = h.mobilisation JOIN audience a ON a.id = t.audience"
    " WHERE t.status = 0 AND a.name LIKE ?1 ORDER BY a.name, t.entity, h.region, h.resource, h.item",
};

}  // namespace

std::vector<DigestRow> SimNode::digests() {
  auto rows = read_view_->digests();
  if (!rows) {
    if (!disk_failed()) fail("its view shows no digests", rows.error());
    return {};
  }
  for (const DigestRow& row : *rows) book_.digest(region(), row);
  return std::move(*rows);
}

std::vector<MobilisationRow> SimNode::open_mobilisations() {
  if (!up() || !read_view_) return {};
  AskMobilisations ask;
  ask.open = ask.drills = true;
  auto rows = read_view_->mobilisations(ask, clock(), settings_.hosts, [](const Envelope&) { return true; });
  if (rows) return std::move(rows->rows);
  if (!disk_failed()) fail("its view shows no mobilisations", rows.error());
  return {};
}

void SimNode::check_journal() {
  auto reader = store::open_reader(config_.journal);
  if (reader) {
    book_.check_journal(region(), host_, **reader);
  } else if (!disk_failed()) {
    fail("its journal does not open for reading", reader.error());
  }
}

std::unique_ptr<store::View> SimNode::build_view(const std::string& path, const std::vector<store::JournalSegment>& segments) {
  store::ViewOptions fresh = config_.view;
  fresh.path = path;
  auto view = store::open_view(fresh, node_->identity());
  if (!view) {
    fail("a view cannot be built anew", view.error());
    return nullptr;
  }
  if (auto applied = (*view)->apply(segments); !applied) {
    fail("a view cannot be built anew", applied.error());
    return nullptr;
  }
  return std::move(*view);
}

void SimNode::check_digests_of(const std::string& path) {
  auto shown = store::open_read_view({path, config_.view.vfs});
  if (!shown) return fail("a view built anew does not open", shown.error());
  const auto rows = (*shown)->digests();
  if (!rows) return fail("a view built anew shows no digests", rows.error());
  for (const DigestRow& row : *rows) book_.digest(region(), row);
}

std::vector<store::JournalSegment> SimNode::read_all(Offset until, std::string& failure) {
  std::vector<store::JournalSegment> out;
  auto reader = store::open_reader(config_.journal);
  if (!reader) failure = reader.error().detail;
  for (Offset next(1); failure.empty() && next < until;) {
    auto segments = (*reader)->read(next, kCatchUpBytes);
    if (!segments || segments->empty()) {
      failure = segments ? "it ends at offset " + std::to_string(next.value) : segments.error().detail;
      break;
    }
    for (store::JournalSegment& stored : *segments) {
      const Result<Segment> segment = Segment::parse(stored.bytes);
      if (!segment) {
        failure = segment.error().reason;
        break;
      }
      next = Offset(stored.first_offset.value + segment->records().size());
      out.push_back(std::move(stored));
    }
  }
  return out;
}

void SimNode::check_rebuilt_view() {
  std::string failure;
  const auto segments = read_all(head(), failure);
  if (!failure.empty()) return world_.fail("promise 1: the journal of " + name() + " cannot be read: " + failure);
  const std::string rebuilt = settings_.folder + "/rebuilt.db";
  auto reader = store::open_reader(config_.journal);
  auto view = store::open_view({rebuilt, config_.view.vfs}, node_->identity());
  if (!reader || !view) return world_.fail("a view cannot be built anew");
  if (auto done = store::catch_up(**view, **reader, kCatchUpBytes); !done)
    return fail("a view cannot be built anew", done.error());
  check_digests_of(rebuilt);

  std::vector<std::deque<const store::JournalSegment*>> feeds;
  std::map<FeedId, std::size_t> index;
  for (const store::JournalSegment& stored : segments) {
    const auto [at, fresh] = index.try_emplace(Segment::parse(stored.bytes)->info().feed, feeds.size());
    if (fresh) feeds.emplace_back();
    feeds[at->second].push_back(&stored);
  }
  std::vector<store::JournalSegment> mixed;
  for (Offset next(1); !feeds.empty();) {
    const auto feed = static_cast<std::ptrdiff_t>(random_.below(feeds.size()));
    auto& waiting = feeds[static_cast<std::size_t>(feed)];
    const Result<Segment> segment = Segment::parse(waiting.front()->bytes);
    mixed.push_back({next, as_stored(*segment, next), waiting.front()->seal});
    next = Offset(next.value + segment->records().size());
    waiting.pop_front();
    if (waiting.empty()) feeds.erase(feeds.begin() + feed);
  }
  const std::string other = settings_.folder + "/mixed.db";
  if (build_view(other, mixed) == nullptr) return;
  check_digests_of(other);
  world_.count("views of mixed feeds");
}

void SimNode::check_drills() {
  std::string failure;
  auto segments = read_all(head(), failure);
  if (!failure.empty()) return world_.fail("promise 1: the journal of " + name() + " cannot be read: " + failure);
  for (store::JournalSegment& stored : segments) {
    blot_out(stored.bytes, [](const RecordView& record) {
      const Result<Event> event = decode_event(record.body);
      return event && event->envelope.status != Status::Actual;
    });
  }
  const std::string path = settings_.folder + "/actual.db";
  if (build_view(path, segments) == nullptr) return;
  if (rows_of(path, "%") != actual_rows("%"))
    world_.fail("promise 7: what is actual in the view of " + name() + " is not what it would be without drills");
  world_.count("views without drills");
}

std::string SimNode::rows_of(const std::string& path, const std::string& audience) {
  std::string out;
  sqlite3* db = nullptr;
  bool good = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, disk_.name().c_str()) == SQLITE_OK;
  for (const char* sql : kActualRows) {
    sqlite3_stmt* select = nullptr;
    good = good && sqlite3_prepare_v2(db, sql, -1, &select, nullptr) == SQLITE_OK;
    if (!good) break;
    sqlite3_bind_text(select, 1, audience.c_str(), -1, SQLITE_TRANSIENT);
    while (sqlite3_step(select) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(select); ++column) {
        const auto* text = sqlite3_column_text(select, column);
        if (text != nullptr) out += reinterpret_cast<const char*>(text);
        out += '|';
      }
      out += '\n';
    }
    sqlite3_finalize(select);
  }
  const std::string why = good ? "" : sqlite3_errmsg(db);
  sqlite3_close(db);
  if (!good) world_.fail("the tables of " + name() + " cannot be read: " + why);
  return out;
}

void SimNode::check_proof() {
  const store::KeyOf key_of = [&](RegionCode of) -> const SealPublicKey* {
    const core::Member* member = settings_.members->find(of);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  auto report = store::verify_journal(config_.journal.folder, key_of, {}, [](std::uint64_t, std::uint64_t) {});
  if (!report) return fail("its journal cannot be verified", report.error());
  for (const std::string& finding : report->findings) {
    if (book_.explains_finding(region(), finding)) continue;
    return world_.fail("promise 8: verifying " + name() + ": " + finding);
  }
}

// Nothing is taken that its region's node has stamped at or behind the region's end, by what this node knows of it.
void SimNode::check_ends(const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  if (feed.audience.is_local()) return;
  if (feed.region == region() && feed.epoch != node_->identity().epoch) return;  // it comes back after a restore
  const auto before = members_before_->closes(feed.audience, feed.region);
  const auto now = node_->core().members()->closes(feed.audience, feed.region);
  if (!before || !now) return;
  for (const RecordView& record : segment.records()) {
    if (physical_ms(record.stamp.time) < std::max(*before, *now)) continue;
    return world_.fail("promise 9: " + name() + " has taken " + to_text(feed) + " " +
                       std::to_string(record.stamp.sequence.value) + ", stamped behind the end of its region's membership");
  }
}

std::vector<std::string> SimNode::audit() {
  const store::KeyOf key_of = [members = settings_.members](RegionCode of) -> const SealPublicKey* {
    const core::Member* member = members->find(of);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  std::vector<std::string> out;
  auto audit = store::open_audit(config_.journal.folder, key_of);
  if (!audit) return {audit.error().detail};
  while (true) {
    auto file = (*audit)->next(0);
    if (!file) {
      out.push_back(file.error().detail);
      return out;
    }
    if (!*file) return out;
    out.insert(out.end(), (*file)->findings.begin(), (*file)->findings.end());
  }
}

// What readers see of it the audit must find; and no reader may be given other bytes without a word.
void SimNode::judge_flip(const std::vector<store::JournalSegment>& before, const Flip& flip, Offset until) {
  std::string failure;
  const auto after = read_all(until, failure);
  const std::string what = name() + ": a bit turned in " + std::filesystem::path(flip.path).filename().string() + " at byte " +
                           std::to_string(flip.at) + ", ";
  bool differs = !failure.empty() || after.size() != before.size();
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const bool same_bytes = before[i].bytes == after[i].bytes;
    if (!same_bytes) return world_.fail("promise 8: " + what + "and readers are given other bytes without a word");
    differs = differs || before[i].seal != after[i].seal || before[i].first_offset != after[i].first_offset;
  }
  const std::vector<std::string> findings = audit();
  if (findings.empty() && differs)
    return world_.fail("promise 8: " + what + "readers see it (" + failure + "), and the audit finds nothing");
  if (findings.empty()) return world_.count("bits turned where nothing stands");
  world_.count("bits turned and found");
  world_.note(name() + ": the audit finds " + findings.front());
}

}  // namespace lianxi::sim
