// The bytes that released programs wrote: tests/data/golden/<version>/. They must be read for ever, and until a version is
// released its files are what today's encoder writes, bit for bit. LIANXI_WRITE_GOLDEN=1 writes the current version's files
// anew; a released version's files are never written again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "schemas/codec/json.h"
#include "schemas/journal_batch.h"
#include "tests/support/sample_messages.h"
#include "tests/support/source_tree.h"

namespace lianxi {
namespace {

namespace fs = std::filesystem;
using test::sample_messages;
using test::sample_segment;

constexpr const char* kCurrentVersion = "1";
const fs::path kGolden = test::source_tree("tests/data/golden");

Bytes read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// A message's file is its two frames, one behind the other.
Bytes file_of(const Message& message) {
  const Frames frames = encode(message);
  Bytes file = frames.header;
  file.insert(file.end(), frames.payload.begin(), frames.payload.end());
  return file;
}

Result<Message> message_of(BytesView file) {
  if (file.size() < kHeaderBytes) return refuse(RefusalCode::malformed, "header", "cut short");
  return decode(file.first(kHeaderBytes), file.subspan(kHeaderBytes));
}

std::vector<StoredAnswer> sample_answers() {
  StoredAnswer accepted;
  accepted.accepted = true;
  accepted.hash = BodyHash{1};
  accepted.feed = {RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};
  accepted.feed_sequence = Sequence(7);
  accepted.ordinal = Ordinal(8);
  accepted.offset = Offset(9);
  StoredAnswer next = accepted;
  next.feed_sequence = Sequence(8);
  next.ordinal = Ordinal(9);
  next.offset = Offset(10);
  StoredAnswer refused;
  refused.hash = BodyHash{2};
  refused.refusal = {RefusalCode::not_allowed, "place", "地点不在权限内", 0};
  return {accepted, next, refused};
}

std::string json_lines() {
  const Bytes bytes = sample_segment();
  const Segment segment = Segment::parse(bytes).value();
  std::string lines;
  for (std::size_t i = 0; i < segment.records().size(); ++i) {
    lines += event_json(segment.info().feed, Offset(segment.info().first_offset.value + i), segment.records()[i]) + "\n";
  }
  for (const auto& [name, message] : sample_messages()) {
    const auto* answer = std::get_if<Answer>(&message);
    // One line a kind of rows, as they were at first.
    if (answer != nullptr && !std::holds_alternative<RetentionPlan>(answer->rows) && name != "answer_links" &&
        name != "answer_resources_with_all" && name != "answer_mobilisations")
      lines += std::visit([](const auto& rows) { return to_json(rows); }, answer->rows) + "\n";
  }
  return lines;
}

std::string plan_line() {
  for (const auto& [name, message] : sample_messages()) {
    const auto* answer = std::get_if<Answer>(&message);
    const auto* plan = answer == nullptr ? nullptr : std::get_if<RetentionPlan>(&answer->rows);
    if (plan != nullptr) return to_json(*plan) + "\n";
  }
  return {};
}

std::string mobilisations_line() {
  for (const auto& [name, message] : sample_messages())
    if (name == "answer_mobilisations") return to_json(std::get<MobilisationRows>(std::get<Answer>(message).rows)) + "\n";
  return {};
}

// An event as a spool file holds it: the printed body with kind and audience added.
Bytes spool_file(const Event& event) {
  const FeedId feed{RegionCode(330800), Epoch(1), Lane::normal, event.envelope.audience};
  SegmentWriter writer(feed, {}, Offset(1));
  const Stamp stamp{Sequence(1), Ordinal(1), Hlc(1), AgentId::parse("330800.police.dispatch").value(), SessionId(1), Sequence(1)};
  writer.append(stamp, Salt{}, encode_event(event));
  const Bytes segment = std::move(writer).finish();
  const auto line = nlohmann::ordered_json::parse(event_json(feed, Offset(1), Segment::parse(segment).value().records().front()));
  nlohmann::ordered_json body{{"kind", line["kind"]}, {"audience", line["audience"]}};
  body.update(line["body"]);
  return bytes_of(body.dump(2) + "\n");
}

// Every stored or sent form, by its file's name.
std::map<std::string, Bytes> current_files() {
  std::map<std::string, Bytes> files;
  for (const auto& [name, message] : sample_messages()) files[name + ".message"] = file_of(message);
  files["alert.event"] = encode_event(test::full_alert());
  files["report.event"] = encode_event(test::full_report());
  files["resource.event"] = encode_event(test::full_resource());
  files["site.event"] = encode_event(test::full_site());
  files["mobilisation.event"] = encode_event(test::full_mobilisation());
  files["retention.event"] = encode_event(test::full_retention());
  files["override.event"] = encode_event(test::full_override());
  files["override.json"] = spool_file(test::full_override());
  files["answer_status_fenced.message"] = file_of(test::sample_status_fenced());
  files["sealed.segment"] = sample_segment();
  files["stored.segment"] = as_stored(Segment::parse(sample_segment()).value(), Offset(5));
  files["answers.blob"] = encode_answers(sample_answers());
  files["lines.jsonl"] = bytes_of(json_lines());
  files["alert.json"] = spool_file(test::full_alert());
  files["report.json"] = spool_file(test::full_report());
  files["resource.json"] = spool_file(test::full_resource());
  files["site.json"] = spool_file(test::full_site());
  files["mobilisation.json"] = spool_file(test::full_mobilisation());
  files["retention.json"] = spool_file(test::full_retention());
  files["retention_plan.jsonl"] = bytes_of(plan_line());
  files["mobilisations.jsonl"] = bytes_of(mobilisations_line());
  return files;
}

TEST(Golden, TodaysEncoderWritesTheSameBytes) {
  const auto files = current_files();
  const fs::path folder = kGolden / kCurrentVersion;
  if (std::getenv("LIANXI_WRITE_GOLDEN") != nullptr) {
    for (const auto& [name, bytes] : files) {
      std::ofstream(folder / name, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    GTEST_SKIP() << "wrote " << files.size() << " files to " << folder;
  }
  for (const auto& [name, bytes] : files) EXPECT_EQ(read_file(folder / name), bytes) << name;
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_TRUE(files.contains(entry.path().filename().string())) << entry.path() << " is written by nobody";
  }
}

TEST(Golden, TheCurrentVersionReadsAsTheSamples) {
  const fs::path folder = kGolden / kCurrentVersion;
  for (const auto& [name, message] : sample_messages()) {
    const auto read = message_of(read_file(folder / (name + ".message")));
    ASSERT_TRUE(read) << name << ": " << read.error().reason;
    EXPECT_TRUE(*read == message) << name;
  }
  EXPECT_EQ(decode_event(read_file(folder / "alert.event")).value(), test::full_alert());
  EXPECT_EQ(decode_event(read_file(folder / "report.event")).value(), test::full_report());
  EXPECT_EQ(decode_event(read_file(folder / "resource.event")).value(), test::full_resource());
  EXPECT_EQ(decode_event(read_file(folder / "site.event")).value(), test::full_site());
  EXPECT_EQ(decode_event(read_file(folder / "mobilisation.event")).value(), test::full_mobilisation());
  EXPECT_EQ(decode_event(read_file(folder / "retention.event")).value(), test::full_retention());
  EXPECT_EQ(decode_event(read_file(folder / "override.event")).value(), test::full_override());
  EXPECT_TRUE(message_of(read_file(folder / "answer_status_fenced.message")).value() == test::sample_status_fenced());
}

TEST(Golden, EveryVersionIsStillRead) {
  std::size_t read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kGolden)) {
    if (!entry.is_regular_file()) continue;
    const Bytes bytes = read_file(entry.path());
    const std::string extension = entry.path().extension();
    if (extension == ".message") {
      EXPECT_TRUE(message_of(bytes)) << entry.path();
    } else if (extension == ".event") {
      EXPECT_TRUE(decode_event(bytes)) << entry.path();
    } else if (extension == ".json") {
      EXPECT_TRUE(event_from_json(std::string(bytes.begin(), bytes.end()))) << entry.path();
    } else if (extension == ".blob") {
      EXPECT_TRUE(decode_answers(bytes)) << entry.path();
    } else if (extension == ".segment") {
      const auto segment = Segment::parse(bytes);
      ASSERT_TRUE(segment) << entry.path();
      const FeedHead before{Sequence(segment->info().first_sequence.value - 1), segment->info().previous};
      EXPECT_TRUE(verify_chain(*segment, before)) << entry.path();
      if (segment->seal()) {
        EXPECT_TRUE(verify_seal(seal_keys_from_seed(Hash{1, 2, 3}).public_key, segment->info().feed, *segment->seal()));
      }
      for (const RecordView& record : segment->records()) EXPECT_TRUE(decode_event(record.body)) << entry.path();
    } else {
      continue;
    }
    ++read;
  }
  EXPECT_GE(read, 20U);
}

}  // namespace
}  // namespace lianxi
