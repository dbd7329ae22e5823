#include "broker/store/map_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/store/projections/resource_row.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::store {

namespace {

// Columns in the order of these lists: what questions judge, then what answers show.
const std::string kJudged =
    "id, entity, audience, record_version, removed_version, contact_version, level, place, agency, contact_level, contact_place,"
    " contact_agency, type, state, lon, lat, area, free_milli, valid_from, valid_until, languages, on_call";
const std::string kShown =
    "region, quantity_milli, held_milli, capacity, occupancy, updated_at, name, capabilities, unit, supply_code, owner, address,"
    " contact, phone, attributes, answerable, answerable_phone";
const std::string kAllRows = "SELECT " + kJudged + ", " + kShown + " FROM resource WHERE status = 0 ORDER BY entity, audience";
const std::string kOneRow = "SELECT " + kShown + " FROM resource WHERE id = ?";

// Borrowed until the next row.
CardFields read_shown(const Run& run, int column) {
  CardFields fields;
  fields.region = RegionCode(static_cast<std::uint32_t>(run.number(column++)));
  fields.quantity_milli = run.number(column++);
  fields.held_milli = run.number(column++);
  fields.capacity = run.optional_number<std::int32_t>(column++);
  fields.occupancy = run.optional_number<std::int32_t>(column++);
  fields.updated_at = run.number(column++);
  for (std::string_view* text :
       {&fields.name, &fields.capabilities, &fields.unit, &fields.supply_code, &fields.owner, &fields.address, &fields.contact,
        &fields.phone, &fields.attributes, &fields.answerable, &fields.answerable_phone})
    *text = run.view(column++);
  return fields;
}

MapEntry read_entry(const Run& run) {
  int column = 0;
  const auto number = [&] { return run.number(column++); };
  MapEntry entry;
  entry.id = number();
  entry.entity = run.text(column++);
  entry.audience = number();
  const std::int64_t record = number();
  const std::int64_t removed = number();
  entry.visible = record > removed;
  entry.contact = number() > removed;
  constexpr int kOf = 3;  // level, place, agency: of the record, then of the contact
  const int of = column + (entry.visible ? 0 : kOf);
  entry.level = static_cast<Level>(run.number(of));
  entry.place = run.text(of + 1);
  entry.agency = run.text(of + 2);
  column += 2 * kOf;
  constexpr int kRest = 10;
  const CardFields shown = read_shown(run, column + kRest);
  entry.card = MapCard(shown, entry.visible, entry.contact);
  if (!entry.visible) return entry;
  entry.type = static_cast<ResourceType>(number());
  entry.state = static_cast<ResourceState>(number());
  entry.capabilities = split_lines(shown.capabilities);
  if (!run.is_null(column) && !run.is_null(column + 1)) entry.location = LonLat{run.real(column), run.real(column + 1)};
  column += 2;
  entry.area = area_of(run.text(column++));
  entry.free_milli = number();
  entry.capacity = shown.capacity;
  entry.occupancy = shown.occupancy;
  entry.valid_from = run.optional_number<TimeMs>(column++);
  entry.valid_until = run.optional_number<TimeMs>(column++);
  entry.languages = split_lines(run.text(column++));
  entry.on_call = on_call_of(run.text(column++));
  return entry;
}

// What is shown of a row: as the index keeps it, or read from the table where it is too large for that. One at a time.
class ShownRow {
 public:
  ShownRow(ReadTables& tables, const MapIndex& index, MapIndex::Slot slot) : fields_(index.card(slot).fields()) {
    if (index.card(slot).kept()) return;
    run_.emplace(tables.statement(kOneRow));
    if (!run_->put(index.item(slot).id).next()) fail(StoreError::corrupt, "the index has a resource that the tables have not");
    fields_ = read_shown(*run_, 0);
  }
  const CardFields* operator->() const { return &fields_; }

 private:
  std::optional<Run> run_;
  CardFields fields_;
};

void show(const ShownRow& card, ResourceRow& row) {
  row.name = card->name;
  row.region = card->region;
  row.capabilities = split_lines(card->capabilities);
  row.quantity_milli = card->quantity_milli;
  row.unit = card->unit;
  row.capacity = card->capacity;
  row.occupancy = card->occupancy;
  row.owner = card->owner;
  row.address = card->address;
  row.contact = card->contact;
  row.phone = card->phone;
  row.updated_at = card->updated_at;
  row.held_milli = card->held_milli;
  row.supply_code = card->supply_code;
  row.attributes = attributes_of(card->attributes);
  row.answerable = card->answerable;
  row.answerable_phone = card->answerable_phone;
}

// The code, or the place that it lies in, down to the city.
std::optional<PlaceCode> parent_of(const PlaceCode& place) {
  constexpr std::size_t kParents[] = {9, 6, 4};
  const std::string_view digits = place.prefix();
  for (const std::size_t size : kParents)
    if (digits.size() > size) return PlaceCode::parse(digits.substr(0, size)).value();
  return std::nullopt;
}

}  // namespace

void MapReader::follow(ReadTables& tables) {
  const Offset offset = tables.offset();
  if (at_ == offset) return;
  std::vector<MapFeed::Batch> batches;
  const bool told = at_ && feed_ && feed_->take(*at_, offset, batches);
  if (!told) {
    make(tables);
    batches.clear();
    if (feed_) (void)feed_->take(offset, offset, batches);  // what the tables have by now
  } else {
    for (MapFeed::Batch& batch : batches)
      for (MapEntry& entry : batch.entries) index_.apply(std::move(entry));
  }
  at_ = offset;
}

void MapReader::make(ReadTables& tables) {
  const ReadTables::Unbounded unbounded(tables);
  at_.reset();
  index_.clear();
  Run run(tables.statement(kAllRows));
  while (run.next()) index_.apply(read_entry(run));
}

MapArea MapReader::area_of_alert(ReadTables& tables, const std::string& entity, const ReadView::Admits& admits) const {
  Run run(
      tables.statement("SELECT audience, status, place, agency, level, event_bytes FROM alert WHERE entity = ? ORDER BY status"));
  std::optional<Event> event;
  std::optional<std::pair<std::int64_t, Audience>> best;  // of its status: an actual one goes before a drill
  for (run.put(entity); run.next();) {
    Envelope envelope;
    envelope.kind = Kind::alert;
    envelope.entity = entity;
    envelope.audience = tables.audience(run.number(0));
    envelope.status = static_cast<Status>(run.number(1));
    envelope.place = place_of(run.text(2));
    envelope.agency = run.text(3);
    envelope.level = static_cast<Level>(run.number(4));
    if (!admits(envelope)) continue;
    if (best && (best->first != run.number(1) || !is_narrower(envelope.audience, best->second))) continue;
    auto read = decode_event(run.blob(5));
    if (!read) fail(StoreError::corrupt, "the alert's event cannot be read");
    best = {run.number(1), envelope.audience};
    event = std::move(*read);
  }
  const auto* alert = event ? std::get_if<Alert>(&event->body) : nullptr;
  if (alert == nullptr) fail(StoreError::not_found, entity);
  return area_of(*alert);
}

// Codes as rows have them: with what took their place, and the parent of a code that no row has.
std::vector<PlaceCode> MapReader::known_places(const std::vector<PlaceCode>& places, const MapNames& names) const {
  const auto is_known = [&](const PlaceCode& place) {
    for (std::uint32_t i = 0; i < index_.classes(); ++i)
      if (index_.rows_in(i) > 0 && index_.row_class(i).place.starts_with(place.prefix())) return true;
    return false;
  };
  std::vector<PlaceCode> known;
  for (const PlaceCode& place : places) {
    for (std::optional<PlaceCode> at = place; at; at = parent_of(*at)) {
      const std::vector<PlaceCode> codes = names.places_of(*at);
      if (std::ranges::none_of(codes, is_known)) continue;
      known.insert(known.end(), codes.begin(), codes.end());
      break;
    }
  }
  return known;
}

MapQuestion MapReader::question_of(ReadTables& tables, const AskResources& ask, const MapContext& context,
                                   const ReadView::Admits& admits) {
  static const MapNames kNoNames;
  const MapNames& names = context.names == nullptr ? kNoNames : *context.names;
  MapQuestion question{ask};
  question.limit = limit_of(ask.limit) + 1;
  question.valid_at = ask.valid_at.value_or(context.now);
  if (ask.place) question.places = names.places_of(*ask.place);
  if (!ask.capability.empty()) question.words = index_.words_of(names.words_of(ask.capability));
  if (!ask.polygon.empty()) question.areas.push_back({{ask.polygon}, {}, {}});
  if (ask.box) question.areas.push_back(area_of(*ask.box));
  if (!ask.alert.empty()) {
    MapArea area = area_of_alert(tables, ask.alert, admits);
    area.places = known_places(area.places, names);
    question.areas.push_back(std::move(area));
  }
  if (!ask.after.empty()) question.after = parse_map_cursor(ask.after).value();
  question.admits = [&tables, &admits](const MapIndex::RowClass& row) {
    Envelope envelope;
    envelope.kind = Kind::resource;
    envelope.audience = tables.audience(row.audience);
    envelope.place = place_of(row.place);
    envelope.agency = row.agency;
    envelope.level = row.level;
    return admits(envelope);
  };
  question.narrower = [&tables](std::int64_t a, std::int64_t b) { return is_narrower(tables.audience(a), tables.audience(b)); };
  if (!ask.text.empty()) ask_text(tables, names, question);
  return question;
}

std::uint64_t MapReader::rows_with(ReadTables& tables, const std::string& token) {
  constexpr std::size_t kMostTokens = 20'000;
  const std::size_t size = index_.size();
  if (token_rows_.size() >= kMostTokens || size > token_size_ + token_size_ / 4 || size + size / 4 < token_size_) {
    token_rows_.clear();
    token_size_ = size;
  }
  if (const auto known = token_rows_.find(token); known != token_rows_.end()) return known->second;
  Run run(tables.statement("SELECT doc FROM temp.resource_words WHERE term = ?"));
  const std::uint64_t rows = run.put(token).next() ? run.number_u64(0) : 0;
  token_rows_.emplace(token, rows);
  return rows;
}

void MapReader::ask_text(ReadTables& tables, const MapNames& names, MapQuestion& question) {
  struct Wanted {
    TextRun run;
    std::vector<std::uint32_t> words;  // whose names have it
  };
  std::vector<Wanted> wanted;
  std::string match;
  for (const TextRun& run : runs_of(question.ask.text)) {
    std::vector<std::string> words;
    for (const auto& [word, called] : names.capabilities)
      if (std::ranges::any_of(called, [&](const std::string& name) { return stands_in(run, folded(name)); }))
        words.push_back(word);
    const auto tokens = worth_asking(pairs_of(run), index_.size(), [&](const auto& token) { return rows_with(tables, token); });
    match += (match.empty() ? "" : " AND ") + match_of(run, tokens, words);
    wanted.push_back({run, index_.words_of(words)});
  }
  question.matches.emplace();
  if (match.empty()) return;
  Run found(tables.statement("SELECT rowid FROM resource_text WHERE resource_text MATCH ?"));
  for (found.put(match); found.next();) {
    const MapIndex::Slot slot = index_.slot_of_row(found.number(0));
    if (slot != MapIndex::kNone) question.matches->push_back(slot);
  }
  if (std::ranges::none_of(wanted, [](const Wanted& one) { return spans_tokens(one.run); })) return;
  question.has_text = [this, &tables, wanted = std::move(wanted)](MapIndex::Slot slot) {
    const ShownRow card(tables, index_, slot);
    const std::string text = folded(fmt::format("{}\n{}\n{}\n{}\n{}", card->name, card->owner, card->address,
                                                searchable(card->attributes), card->capabilities));
    return std::ranges::all_of(wanted,
                               [&](const Wanted& one) { return stands_in(one.run, text) || index_.has_word(slot, one.words); });
  };
}

ResourceRows MapReader::rows(ReadTables& tables, const AskResources& ask, const MapContext& context,
                             const ReadView::Admits& admits) {
  follow(tables);
  const MapQuestion question = question_of(tables, ask, context, admits);
  MapSearch search(index_, question);
  std::vector<MapSearch::Found> found = search.run();
  ResourceRows rows;
  rows.truncated = found.size() == question.limit;
  if (rows.truncated) found.pop_back();
  rows.rows.reserve(found.size());
  for (const MapSearch::Found& one : found) rows.rows.push_back(shown(tables, search, one, ask.near.has_value()));
  if (rows.truncated) rows.next = next_behind(rows);
  return rows;
}

ResourceRow MapReader::shown(ReadTables& tables, MapSearch& search, const MapSearch::Found& found, bool measured) const {
  const MapIndex::Item& item = index_.item(found.slot);
  ResourceRow row;
  row.id = item.entity;
  row.audience = tables.audience(item.audience);
  if (measured) row.distance_m = found.distance_m;
  row.type = static_cast<ResourceType>(item.bits.type);
  row.state = static_cast<ResourceState>(item.bits.state);
  row.place = place_of(index_.row_class(item.bits.row_class).place);
  row.free_milli = item.free_milli;
  if ((item.bits.marks & MapIndex::kLocated) != 0) row.location = LonLat{item.bits.lon, item.bits.lat};
  show(ShownRow(tables, index_, found.slot), row);
  if (const MapIndex::Rare* rare = index_.rare(found.slot)) {
    row.valid_from = rare->valid_from;
    row.valid_until = rare->valid_until;
    row.languages = rare->languages;
    row.on_call = rare->on_call;
    row.area = rare->area;
  }
  if ((item.bits.marks & MapIndex::kSiblings) != 0) overlay_contact(tables, search, found.slot, row);
  return row;
}

// The contact of the narrowest row that states one and may be seen, with a record or without.
void MapReader::overlay_contact(ReadTables& tables, MapSearch& search, MapIndex::Slot slot, ResourceRow& row) const {
  MapIndex::Slot best = slot;
  for (const MapIndex::Slot other : index_.rows_of(index_.item(slot).entity)) {
    const MapIndex::Item& item = index_.item(other);
    if ((item.bits.marks & MapIndex::kContact) == 0 || !search.may_see(item.bits.row_class)) continue;
    if (is_narrower(tables.audience(item.audience), tables.audience(index_.item(best).audience))) best = other;
  }
  if (best == slot) return;
  const ShownRow card(tables, index_, best);
  row.contact = card->contact;
  row.phone = card->phone;
}

TotalRows MapReader::totals(ReadTables& tables, const AskTotals& ask, const MapContext& context, const ReadView::Admits& admits) {
  follow(tables);
  AskResources of;
  of.place = ask.place;
  of.types = ask.types;
  of.capability = ask.capability;
  const MapQuestion question = question_of(tables, of, context, admits);
  if (question.words && question.words->empty()) return {};
  constexpr std::size_t kCountyDigits = 6;
  constexpr std::size_t kStates = static_cast<std::size_t>(ResourceState::returning) + 1;
  std::map<std::pair<std::string, std::uint8_t>, TotalRow> totals;
  std::map<std::pair<std::uint32_t, std::uint8_t>, TotalRow*> by_class;
  MapSearch search(index_, question);
  search.each([&](MapIndex::Slot slot) {
    const MapIndex::Item& item = index_.item(slot);
    TotalRow*& row = by_class[{item.bits.row_class, item.bits.type}];
    if (row == nullptr) {
      const std::string county = index_.row_class(item.bits.row_class).place.substr(0, kCountyDigits);
      row = &totals[{county, item.bits.type}];
      row->place = place_of(county);
      row->type = static_cast<ResourceType>(item.bits.type);
      row->by_state.resize(kStates);
    }
    ++row->count;
    if (item.bits.state < kStates) ++row->by_state[item.bits.state];
    row->capacity += item.capacity;
    row->occupancy += item.occupancy;
  });
  TotalRows rows;
  for (auto& [key, row] : totals) rows.rows.push_back(std::move(row));
  return rows;
}

}  // namespace lianxi::store
