// The bytes' own cost: codec, chain, segments and filter, each on one report of about 400 bytes.
#include <benchmark/benchmark.h>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "schemas/codec/segment_scan.h"
#include "schemas/protocol.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

const FeedId kFeed{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};

Stamp stamp_at(std::uint64_t sequence) {
  static const AgentId publisher = AgentId::parse("330800.police.dispatch").value();
  return {Sequence(sequence), Ordinal(sequence), Hlc(sequence << 16U), publisher, SessionId(7), Sequence(sequence)};
}

Bytes segment_of(std::uint64_t count) {
  const Bytes body = encode_event(test::full_report());
  SegmentWriter writer(kFeed, {}, Offset(1));
  for (std::uint64_t i = 1; i <= count; ++i) writer.append(stamp_at(i), Salt{}, body);
  return std::move(writer).finish();
}

void encode_report(benchmark::State& state) {
  const Event event = test::full_report();
  for (auto _ : state) benchmark::DoNotOptimize(encode_event(event));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_report);

void decode_report(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_report());
  for (auto _ : state) benchmark::DoNotOptimize(decode_event(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_report);

void read_report(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_report());
  EventReader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_report);

// As a client does it for each event that it publishes.
void check_and_encode_again(benchmark::State& state) {
  const Event event = test::full_report();
  EventEncoder encoder;
  for (auto _ : state) {
    benchmark::DoNotOptimize(check_event(event));
    benchmark::DoNotOptimize(encoder.encode(event));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(check_and_encode_again);

void decode_report_envelope(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_report());
  for (auto _ : state) benchmark::DoNotOptimize(decode_envelope(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_report_envelope);

void decode_alert(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_alert());
  for (auto _ : state) benchmark::DoNotOptimize(decode_event(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_alert);

void hash_body(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_report());
  for (auto _ : state) benchmark::DoNotOptimize(body_hash(bytes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hash_body);

void extend_chain(benchmark::State& state) {
  const Bytes bytes = encode_event(test::full_report());
  Hash hash{};
  const Stamp stamp = stamp_at(1);
  for (auto _ : state) hash = chain_hash(hash, kFeed, stamp, body_digest(Salt{}, bytes));
  benchmark::DoNotOptimize(hash);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(extend_chain);

void write_segment(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(segment_of(256));
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(write_segment);

void parse_segment(benchmark::State& state) {
  const Bytes bytes = segment_of(256);
  for (auto _ : state) benchmark::DoNotOptimize(Segment::parse(bytes));
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(parse_segment);

// As a follower does it with each delivery.
void scan_and_verify_segment(benchmark::State& state) {
  const Bytes bytes = segment_of(256);
  SegmentScan scan;
  for (auto _ : state) {
    std::map<FeedId, FeedHead> heads;
    benchmark::DoNotOptimize(scan.read(bytes));
    benchmark::DoNotOptimize(scan.verify(heads));
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(scan_and_verify_segment);

void verify_segment(benchmark::State& state) {
  const Bytes bytes = segment_of(256);
  const Segment segment = Segment::parse(bytes).value();
  for (auto _ : state) benchmark::DoNotOptimize(verify_chain(segment, {}));
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(verify_segment);

void publish_message(benchmark::State& state) {
  const Publish publish{
      SessionId(7), Lane::normal, Sequence(1), Sequence(0), 0, 0, std::vector<Bytes>(256, encode_event(test::full_report()))};
  for (auto _ : state) {
    const Frames frames = encode(publish);
    benchmark::DoNotOptimize(decode(frames.header, frames.payload, Speaker::client));
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(publish_message);

void filter_envelope(benchmark::State& state) {
  const Envelope envelope = test::full_report().envelope;
  const Filter filter{.kinds = {Kind::alert, Kind::incident},
                      .places = {PlaceCode::parse("34").value(), PlaceCode::parse("3308").value()},
                      .agencies = {"fire", "police"}};
  for (auto _ : state) benchmark::DoNotOptimize(admits(filter, envelope));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(filter_envelope);

void print_event(benchmark::State& state) {
  const Bytes bytes = segment_of(1);
  const Segment segment = Segment::parse(bytes).value();
  for (auto _ : state) benchmark::DoNotOptimize(event_json(kFeed, Offset(1), segment.records().front()));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(print_event);

void sign_head(benchmark::State& state) {
  const SealKeyPair keys = seal_keys_from_seed(Hash{1});
  for (auto _ : state) benchmark::DoNotOptimize(sign_seal(keys.secret_key, kFeed, {Sequence(1), Hash{2}}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sign_head);

}  // namespace
}  // namespace lianxi

BENCHMARK_MAIN();
