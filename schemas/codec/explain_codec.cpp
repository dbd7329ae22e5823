#include "schemas/codec/explain_io.h"

namespace lianxi {

std::string_view to_word(Holding holding) {
  switch (holding) {
    case Holding::unknown:
      return "unknown";
    case Holding::holds:
      return "holds";
    case Holding::behind:
      return "behind";
    case Holding::outside:
      break;
  }
  return "outside";
}

namespace codec {
namespace {

template <class T>
using Written = flatbuffers::Offset<T>;

Written<wire::FeedPosition> write_position(Builder& out, const FeedPosition& position) {
  const auto audience = write_required(out, position.feed.audience.text());
  const auto hash =
      position.head.hash == Hash{} ? Written<flatbuffers::Vector<std::uint8_t>>() : write_bytes(out, position.head.hash);
  return wire::CreateFeedPosition(out, position.feed.region.value, position.feed.epoch.value, number(position.feed.lane),
                                  audience, position.head.sequence.value, hash);
}

FeedPosition read_position(MessageReader& in, const wire::FeedPosition* from) {
  return {{RegionCode(from->region()), Epoch(from->epoch()), in.known<Lane>("feed", from->lane()),
           in.audience("feed", from->audience())},
          {Sequence(from->sequence()), in.array<32>("feed", from->hash())}};
}

Written<wire::ReceiverRow> write_row(Builder& out, const ReceiverRow& row) {
  const auto name_zh = write_text(out, row.name_zh);
  const auto name_en = write_text(out, row.name_en);
  const auto link = write_text(out, row.link);
  const auto reason = write_text(out, row.reason);
  return wire::CreateReceiverRow(out, row.region.value, name_zh, name_en, number(row.standing), number(row.holding),
                                 row.held.value, row.seen, link, row.last_contact, reason);
}

Written<wire::RightRow> write_row(Builder& out, const RightRow& row) {
  const auto agent = write_required(out, row.agent);
  const auto follow_why = write_text(out, row.follow_why);
  const auto query_why = write_text(out, row.query_why);
  return wire::CreateRightRow(out, agent, row.follow, row.query, follow_why, query_why);
}

template <class E>
E within(MessageReader& in, std::string_view field, std::uint8_t value, E last) {
  if (value <= number(last)) return static_cast<E>(value);
  in.invalid(field, fmt::format("number {} is not of its vocabulary", value));
  return E{};
}

}  // namespace

flatbuffers::Offset<void> write_explain(Builder& out, const AskExplain& ask) {
  const auto entity = write_text(out, ask.entity);
  const auto feed = ask.feed ? write_position(out, *ask.feed) : Written<wire::FeedPosition>();
  return wire::CreateAskExplain(out, entity, feed, ask.offset.value).Union();
}

flatbuffers::Offset<void> write_explain(Builder& out, const ExplainReport& report) {
  const auto feed = write_position(out, report.feed);
  const auto publisher = write_text(out, report.publisher);
  const auto entity = write_text(out, report.entity);
  const auto place = write_text(out, report.place.text());
  const auto agency = write_text(out, report.agency);
  const auto receivers =
      write_list<Written<wire::ReceiverRow>>(out, report.receivers, [&](const ReceiverRow& row) { return write_row(out, row); });
  const auto rights =
      write_list<Written<wire::RightRow>>(out, report.rights, [&](const RightRow& row) { return write_row(out, row); });
  const auto topics = write_texts(out, report.topics);
  std::vector<std::uint64_t> offsets;
  for (const Offset other : report.others) offsets.push_back(other.value);
  const auto others = offsets.empty() ? Written<flatbuffers::Vector<std::uint64_t>>() : out.CreateVector(offsets);
  return wire::CreateExplainReport(out, report.offset.value, feed, report.ordinal.value, report.time, publisher, report.redacted,
                                   static_cast<std::uint16_t>(report.kind), entity, number(report.status), place, agency,
                                   number(report.level), receivers, rights, report.rights_left_out, topics,
                                   report.kept_from.value, others)
      .Union();
}

AskExplain read_explain(MessageReader& in, const wire::AskExplain* from) {
  AskExplain ask;
  ask.entity = in.line("entity", from->entity());
  if (from->feed() != nullptr) ask.feed = read_position(in, from->feed());
  ask.offset = Offset(from->offset());
  const int named = (ask.entity.empty() ? 0 : 1) + (ask.feed ? 1 : 0) + (ask.offset.value == 0 ? 0 : 1);
  if (named != 1)
    in.fail(RefusalCode::missing_field, "entity", "name the event by its entity, its feed and sequence, or its offset");
  if (ask.feed && ask.feed->head.sequence.value == 0) in.invalid("feed", "sequences begin at 1");
  return ask;
}

ExplainReport read_explain(MessageReader& in, const wire::ExplainReport* from) {
  ExplainReport report;
  report.offset = Offset(from->offset());
  report.feed = read_position(in, from->feed());
  report.ordinal = Ordinal(from->ordinal());
  report.time = from->time();
  report.publisher = in.text(from->publisher());
  report.redacted = from->redacted();
  report.kind = Kind{from->kind()};
  report.entity = in.text(from->entity());
  report.status = in.known<Status>("status", from->status());
  report.place = in.place("place", from->place());
  report.agency = in.text(from->agency());
  report.level = in.known<Level>("level", from->level());
  report.receivers = in.list<ReceiverRow>(from->receivers(), [&](const wire::ReceiverRow* row) {
    return ReceiverRow{RegionCode(row->region()),
                       in.text(row->name_zh()),
                       in.text(row->name_en()),
                       within(in, "standing", row->standing(), Standing::stranger),
                       within(in, "holding", row->holding(), Holding::outside),
                       Sequence(row->held()),
                       row->seen(),
                       in.text(row->link()),
                       row->last_contact(),
                       in.text(row->reason())};
  });
  report.rights = in.list<RightRow>(from->rights(), [&](const wire::RightRow* row) {
    return RightRow{in.text(row->agent()), row->follow(), row->query(), in.text(row->follow_why()), in.text(row->query_why())};
  });
  report.rights_left_out = from->rights_left_out();
  report.topics = in.texts(from->topics());
  report.kept_from = Offset(from->kept_from());
  report.others = in.list<Offset>(from->others(), [](std::uint64_t other) { return Offset(other); });
  return report;
}

}  // namespace codec
}  // namespace lianxi
