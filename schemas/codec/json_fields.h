// The JSON names of every table's fields, once for both directions: A is a writer or a reader of one object. For codec/*.cpp
// alone. Names may be added, never changed (schemas/README.md).
#pragma once

#include "schemas/event.h"

namespace lianxi::codec {

template <class A>
void fields(A& a, typename A::template Ref<NameValue> v) {
  a.required_text("name", v.name);
  a.required_text("value", v.value);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertReference> v) {
  a.required_text("sender", v.sender);
  a.required_text("identifier", v.identifier);
  a.required_time("sent", v.sent);
}

template <class A>
void fields(A& a, typename A::template Ref<Circle> v) {
  a.required_number("lon", v.centre.lon);
  a.required_number("lat", v.centre.lat);
  a.required_number("radius_m", v.radius_m);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertArea> v) {
  a.required_text("description", v.description);
  a.polygons("polygons", v.polygons);
  a.list("circles", v.circles);
  a.list("geocodes", v.geocodes);
  a.number("altitude_ft", v.altitude_ft);
  a.number("ceiling_ft", v.ceiling_ft);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertResource> v) {
  a.required_text("description", v.description);
  a.text("mime_type", v.mime_type);
  a.number("size_bytes", v.size_bytes);
  a.text("uri", v.uri);
  a.text("digest", v.digest);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertInfo> v) {
  a.text("language", v.language);
  a.words("categories", v.categories);
  a.required_text("event", v.event);
  a.words("response_types", v.response_types);
  a.required_word("urgency", v.urgency);
  a.required_word("severity", v.severity);
  a.required_word("certainty", v.certainty);
  a.text("audience_text", v.audience_text);
  a.list("event_codes", v.event_codes);
  a.time("effective", v.effective);
  a.time("onset", v.onset);
  a.time("expires", v.expires);
  a.text("sender_name", v.sender_name);
  a.text("headline", v.headline);
  a.text("description", v.description);
  a.text("instruction", v.instruction);
  a.text("web", v.web);
  a.text("contact", v.contact);
  a.list("parameters", v.parameters);
  a.list("resources", v.resources);
  a.list("areas", v.areas);
}

template <class A>
void fields(A& a, typename A::template Ref<Alert> v) {
  a.required_text("identifier", v.identifier);
  a.required_text("sender", v.sender);
  a.required_time("sent", v.sent);
  a.required_word("msg_type", v.msg_type);
  a.required_word("scope", v.scope);
  a.text("source", v.source);
  a.text("restriction", v.restriction);
  a.texts("addresses", v.addresses);
  a.texts("codes", v.codes);
  a.text("note", v.note);
  a.list("references", v.references);
  a.texts("incidents", v.incidents);
  a.list("infos", v.infos);
}

template <class A>
void fields(A& a, typename A::template Ref<IncidentReport> v) {
  a.required_text("case_reference", v.case_reference);
  a.required_word("report_type", v.report_type);
  a.word("class", v.incident_class);
  a.word("state", v.state);
  a.text("event_code", v.event_code);
  a.text("title", v.title);
  a.text("text", v.text);
  a.text("address", v.address);
  a.point(v.location);
  a.number("deaths", v.deaths);
  a.number("missing", v.missing);
  a.number("injured", v.injured);
  a.number("trapped", v.trapped);
  a.number("affected", v.affected);
  a.text("own_reference", v.own_reference);
  a.text("reporter", v.reporter);
  a.list("fields", v.fields);
}

template <class A>
void fields(A& a, typename A::template Ref<OnCall> v) {
  a.required_count("days", v.days);
  a.required_count("from_minute", v.from_minute);
  a.required_count("to_minute", v.to_minute);
}

template <class A>
void fields(A& a, typename A::template Ref<Resource> v) {
  a.required_word("change", v.change);
  a.required_word("type", v.type);
  a.text("name", v.name);
  a.text("owner", v.owner);
  a.text("address", v.address);
  a.point(v.location);
  a.texts("capabilities", v.capabilities);
  a.groups("keeps", v.keeps);
  if (!v.keeps.has(ResourceGroup::state)) a.word("state", v.state);
  a.thousandths("quantity", v.quantity_milli);
  a.text("unit", v.unit);
  a.number("capacity", v.capacity);
  a.number("occupancy", v.occupancy);
  a.text("supply_code", v.supply_code);
  a.text("contact", v.contact);
  a.text("phone", v.phone);
  a.list("attributes", v.attributes);
  a.count("as_of", v.as_of.value);
  a.text("answerable", v.answerable);
  a.text("answerable_phone", v.answerable_phone);
  a.time("valid_from", v.valid_from);
  a.time("valid_until", v.valid_until);
  a.points("area", v.area);
  a.texts("languages", v.languages);
  a.list("on_call", v.on_call);
}

template <class A>
void fields(A& a, typename A::template Ref<Schedule> v) {
  a.required_word("type", v.type);
  a.time("at", v.at);
  a.point(v.location);
  a.text("address", v.address);
}

template <class A>
void fields(A& a, typename A::template Ref<MobilisationContact> v) {
  a.required_word("role", v.role);
  a.text("name", v.name);
  a.text("agency", v.agency);
  a.text("phone", v.phone);
}

template <class A>
void fields(A& a, typename A::template Ref<MobilisationItem> v) {
  a.required_text("id", v.id);
  a.text("preceding", v.preceding);
  a.maybe_word("response", v.response);
  a.text("reason_code", v.reason_code);
  a.text("reason", v.reason);
  a.text("resource", v.resource);
  a.maybe_word("type", v.type);
  a.text("name", v.name);
  a.text("capability", v.capability);
  a.text("description", v.description);
  a.thousandths("quantity", v.quantity_milli);
  a.text("unit", v.unit);
  a.text("restrictions", v.restrictions);
  a.text("anticipated_function", v.anticipated_function);
  a.text("price_quote", v.price_quote);
  a.text("order_id", v.order_id);
  a.text("instructions", v.instructions);
  a.word("deployment", v.deployment);
  a.list("schedule", v.schedule);
}

template <class A>
void fields(A& a, typename A::template Ref<Mobilisation> v) {
  a.required_word("message", v.message);
  a.required_text("message_id", v.message_id);
  a.required_text("originating_id", v.originating_id);
  a.text("preceding_id", v.preceding_id);
  a.required_time("sent", v.sent);
  a.text("description", v.description);
  a.maybe_word("recall", v.recall);
  a.text("recalled_id", v.recalled_id);
  a.text("incident", v.incident);
  a.regions("to", v.to);
  a.time("answer_by", v.answer_by);
  a.list("funding", v.funding);
  a.list("contacts", v.contacts);
  a.list("items", v.items);
}

template <class A>
void fields(A& a, typename A::template Ref<Retention> v) {
  a.count("epoch", v.epoch.value);
  a.required_word("lane", v.lane);
  a.count("through", v.through.sequence.value);
  a.hash("hash", v.through.hash);
  a.count("through_ordinal", v.ordinal.value);
  a.required_time("before", v.before);
  a.count("position", v.position.value);
  a.hash("digest", v.digest);
}

template <class A>
void fields(A& a, typename A::template Ref<Override> v) {
  a.required_word("what", v.what);
  a.required_text("reason", v.reason);
}

}  // namespace lianxi::codec
