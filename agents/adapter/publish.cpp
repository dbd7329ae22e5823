#include "agents/adapter/publish.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "schemas/codec/event_codec.h"

namespace lianxi::adapter {
namespace {

constexpr std::size_t kWindow = 512;  // records sent and not yet answered
constexpr std::chrono::milliseconds kLook(100);

std::string key_prefix(const std::string& file, const std::string& content) {
  const BytesView bytes(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  const BodyHash hash = body_hash(bytes);
  return file + "#" + to_hex(BytesView(hash)) + "#";
}

}  // namespace

std::size_t FileResult::accepted() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(records, [](const RecordResult& record) { return record.outcome.has_value(); }));
}

std::size_t FileResult::refusals() const {
  return refused.size() + records.size() - accepted();
}

bool pause(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

std::optional<sdk::Outcome> wait_for(std::future<sdk::Outcome>& answer, const std::stop_token& stop) {
  while (answer.wait_for(kLook) != std::future_status::ready) {
    if (stop.stop_requested()) return std::nullopt;
  }
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return std::nullopt;
  }
}

bool passes(const sdk::Outcome& outcome) {
  return !outcome && (outcome.error().code == RefusalCode::disk_full || outcome.error().code == RefusalCode::busy);
}

std::vector<RecordResult> FilePublisher::send(const std::vector<const formats::Record*>& records, const std::string& prefix,
                                              const std::stop_token& stop, bool& interrupted) const {
  std::vector<RecordResult> results;
  std::vector<std::future<sdk::Outcome>> answers;
  answers.reserve(records.size());
  const auto send_one = [&](const formats::Record& record) {
    return client_.publish_once(*record.event, prefix + std::to_string(record.number));
  };
  const auto settle = [&](std::size_t i) {
    auto outcome = wait_for(answers[i], stop);
    while (outcome && passes(*outcome)) {
      spdlog::error("record {} waits: {}", records[i]->number, outcome->error().reason);
      if (!pause(stop, retry_)) break;
      auto again = send_one(*records[i]);
      outcome = wait_for(again, stop);
    }
    if (!outcome || passes(*outcome)) return false;
    results.push_back(
        {records[i]->number, records[i]->line, records[i]->raw, records[i]->event->envelope.entity, std::move(*outcome)});
    return true;
  };
  for (std::size_t sent = 0; sent < records.size() || results.size() < records.size();) {
    if (stop.stop_requested()) {
      interrupted = true;
      return results;
    }
    if (sent < records.size() && sent - results.size() < kWindow) {
      answers.push_back(send_one(*records[sent++]));
    } else if (!settle(results.size())) {
      interrupted = true;
      return results;
    }
  }
  return results;
}

FileResult FilePublisher::publish(const formats::Source& source, const std::string& file, const std::string& content, TimeMs now,
                                  std::stop_token stop) const {
  FileResult result;
  auto read = formats::read_records(source, content, now);
  if (!read) {
    result.refused = std::move(read.error());
    return result;
  }
  result.whole = read->whole;
  result.heading = std::move(read->heading);
  result.warnings = std::move(read->warnings);
  std::vector<const formats::Record*> good;
  for (const formats::Record& record : read->records) {
    if (record.event) {
      good.push_back(&record);
    } else {
      result.records.push_back({record.number, record.line, record.raw, {}, tl::unexpected(record.event.error())});
    }
  }
  for (RecordResult& sent : send(good, key_prefix(file, content), stop, result.interrupted))
    result.records.push_back(std::move(sent));
  std::ranges::sort(result.records, {}, &RecordResult::number);
  return result;
}

void FilePublisher::forget(const std::string& file, const std::string& content) const {
  client_.forget_keys(key_prefix(file, content));
}

}  // namespace lianxi::adapter
