#include "agents/adapter/adapter.h"

#include <spdlog/spdlog.h>

#include "schemas/limits.h"

namespace lianxi::adapter {

Adapter::Adapter(sdk::Client& client, const formats::Mapping& mapping, AdapterOptions options, std::function<TimeMs()> now)
    : publisher_(client, options.retry),
      mapping_(mapping),
      options_(std::move(options)),
      now_(std::move(now)),
      spool_(options_.spool, options_.settle) {}

Adapter::~Adapter() {
  finish();
}

Tally Adapter::tally() const {
  const std::scoped_lock lock(mutex_);
  return tally_;
}

std::size_t Adapter::line_of(const std::string& file) const {
  const formats::Source* source = mapping_.of_file(file);
  if (source != nullptr && source->format == formats::SourceFormat::cap) return 0;
  if (source != nullptr && source->format == formats::SourceFormat::resources) return 2;
  return 1;
}

void Adapter::failed(const Failure<SpoolError>& failure) {
  spdlog::error("{}; it is tried again", failure.detail);
  const std::scoped_lock lock(mutex_);
  ++tally_.failures;
}

Adapter::Took Adapter::take(const std::string& file, const std::stop_token& stop) {
  const auto content = spool_.read(file, kMaxFileBytes);
  if (!content) {
    if (content.error().code == SpoolError::gone) return Took::done;  // taken back by whoever put it there
    std::unique_lock lock(mutex_);
    const bool fresh = unreadable_.insert(file).second;
    lock.unlock();
    if (fresh) failed(content.error());
    return Took::unreadable;
  }
  FileResult result;
  if (const formats::Source* source = mapping_.of_file(file); source != nullptr) {
    result = publisher_.publish(*source, file, *content, now_(), stop);
  } else {
    result.refused.push_back(
        {RefusalCode::config, "", "no source of the mapping takes a file of this name: mend the name, or add its pattern", 0});
  }
  if (result.interrupted) return Took::again;
  if (auto finished = spool_.finish(file, result, now_()); !finished) {
    failed(finished.error());
    return Took::again;
  }
  publisher_.forget(file, *content);
  for (const std::string& warning : result.warnings) spdlog::warn("{}: {}", file, warning);
  if (result.refusals() > 0) {
    spdlog::warn("{}: {} accepted, {} refused; see refused/{}.reason.json", file, result.accepted(), result.refusals(), file);
  } else {
    spdlog::info("{}: {} accepted", file, result.accepted());
  }
  const std::scoped_lock lock(mutex_);
  ++tally_.files;
  tally_.accepted += result.accepted();
  tally_.refused += result.refusals();
  unreadable_.erase(file);
  return Took::done;
}

void Adapter::work(Line& line, const std::stop_token& stop) {
  for (;;) {
    std::string file;
    {
      std::unique_lock lock(mutex_);
      if (!work_.wait(lock, stop, [&] { return !line.files.empty(); })) return;
      file = line.files.front();
    }
    // What is to be tried again stays in front, for a later file must not overtake it; one that cannot be read steps aside.
    if (take(file, stop) == Took::again) {
      if (!pause(stop, options_.retry)) return;
      continue;
    }
    const std::scoped_lock lock(mutex_);
    line.files.pop_front();
    taken_.erase(file);
  }
}

std::optional<std::size_t> Adapter::look(const std::set<std::string>& moved) {
  watch_.watch(options_.spool);
  const auto files = spool_.list();
  if (!files) {
    if (!gone_) failed(files.error());
    gone_ = true;
    return std::nullopt;
  }
  if (gone_) spdlog::info("{} is there again", options_.spool);
  gone_ = false;
  const std::scoped_lock lock(mutex_);
  for (const SpoolFile& file : *files) {
    if (!file.complete && !moved.contains(file.name)) continue;
    if (!taken_.insert(file.name).second) continue;
    lines_[line_of(file.name)].files.push_back(file.name);
  }
  work_.notify_all();
  return std::max(files->size(), taken_.size());
}

void Adapter::start(const std::stop_token& stop) {
  for (Line& line : lines_) {
    line.worker = std::jthread([this, &line, stop](const std::stop_token& own) {
      // Stopped from outside or by finish(): both are one to the worker.
      std::stop_source either;
      const std::stop_callback outside(stop, [&] { either.request_stop(); });
      const std::stop_callback inside(own, [&] { either.request_stop(); });
      work(line, either.get_token());
    });
  }
}

void Adapter::finish() {
  for (Line& line : lines_) line.worker = std::jthread();
  const std::scoped_lock lock(mutex_);
  for (Line& line : lines_) line.files.clear();
  taken_.clear();
}

void Adapter::run(const std::stop_token& stop) {
  start(stop);
  std::set<std::string> moved;
  while (!stop.stop_requested()) {
    if (look(moved)) {
      moved = watch_.wait(options_.look);
    } else {
      pause(stop, options_.retry);
    }
  }
  finish();
}

void Adapter::run_once(const std::stop_token& stop) {
  start(stop);
  std::set<std::string> moved;
  while (!stop.stop_requested()) {
    const auto left = look(moved);
    if (!left || *left == 0 || tally().failures > 0) break;
    moved = watch_.wait(std::min(options_.look, options_.settle));
  }
  finish();
}

}  // namespace lianxi::adapter
