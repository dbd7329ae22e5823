#include "agents/operator/event_line.h"

#include "agents/operator/words.h"
#include "schemas/codec/event_codec.h"
#include "schemas/event_rules.h"

namespace lianxi::cli {
namespace {

std::string words_of(const Event& event, const Say& say) {
  if (const auto* alert = std::get_if<Alert>(&event.body)) {
    std::string text(to_word(alert->msg_type));
    for (const AlertInfo& info : alert->infos) {
      text += "  " + (info.headline.empty() ? info.event : info.headline);
      if (!info.areas.empty() && !info.areas.front().description.empty()) text += "  " + info.areas.front().description;
      break;
    }
    return text;
  }
  if (const auto* report = std::get_if<IncidentReport>(&event.body)) {
    const std::string casualties = casualties_text(*report, say);
    return word(report->report_type, say) + "  " + (report->title.empty() ? report->text : report->title) +
           (casualties.empty() ? "" : "  " + casualties);
  }
  if (const auto* resource = std::get_if<Resource>(&event.body)) {
    return word(resource->type, say) + "  " + std::string(to_word(resource->change)) + "  " +
           (resource->name.empty() ? event.envelope.entity : resource->name) +
           (states(*resource, ResourceGroup::state) ? "  " + word(resource->state, say) : "");
  }
  if (const auto* mobilisation = std::get_if<Mobilisation>(&event.body)) {
    std::string text = word(mobilisation->message, say) + "  " + mobilisation->originating_id;
    for (const MobilisationItem& item : mobilisation->items) {
      const std::string& what = !item.name.empty() ? item.name : !item.resource.empty() ? item.resource : item.capability;
      text += "  " + what + (item.quantity_milli > 0 ? " " + quantity_text(item.quantity_milli, item.unit) : "");
      if (item.response) text += " " + word(*item.response, say);
    }
    return text;
  }
  if (const auto* order = std::get_if<Override>(&event.body)) return event.envelope.entity + "  " + order->reason;
  return event.envelope.entity;
}

}  // namespace

std::string event_line(const sdk::Delivery& delivery, const Say& say, bool colour) {
  const std::string time = short_time(physical_ms(delivery.record.stamp.time));
  const std::string where = to_text(delivery.feed.region) + " #" + std::to_string(delivery.offset.value);
  if (delivery.record.redacted) return time + "  " + where + "  " + say("(redacted)", "(已依法隐去)");
  const auto event = decode_event(delivery.record.body);
  if (!event) return time + "  " + where + "  " + say("(unreadable event)", "(无法读取的事件)");
  const Envelope& envelope = event->envelope;
  const std::string mark = drill_mark(envelope.status, say);
  std::string line = time + "  " + styled(word(envelope.level, say), style_of(envelope.level), colour) + "  ";
  if (!mark.empty()) line += styled(mark, Style::loud, colour) + " ";
  line += kind_word(envelope.kind, say) + "  " + envelope.place.text() + "  " + agency_word(envelope.agency, say) + "  " +
          printable(words_of(*event, say));
  return line + "  " + styled("(" + where + ")", Style::faint, colour);
}

}  // namespace lianxi::cli
