// The records of one file to the node: each once, whatever happens between its first reading and its last answer.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agents/formats/records.h"
#include "agents/sdk/client.h"

namespace lianxi::adapter {

struct RecordResult {
  std::size_t number = 0;  // from 1 in its file
  std::size_t line = 0;
  std::string raw;
  std::string entity;  // empty if the record could not be read
  sdk::Outcome outcome;
};

struct FileResult {
  bool whole = false;
  bool interrupted = false;      // stopped before the last answer; the file is to be read again
  std::vector<Refusal> refused;  // of the file as such; then there are no records
  std::string heading;
  std::vector<RecordResult> records;
  std::vector<std::string> warnings;

  [[nodiscard]] std::size_t accepted() const;
  [[nodiscard]] std::size_t refusals() const;  // of the file and of its records
};

// Publishes under keys "<file>#<hash>#<number>"; the outbox remembers them, so that a file read again after a crash doubles
// nothing and gets its first receipts. Waits for every answer, until `stop`. A full disk is waited out.
class FilePublisher {
 public:
  explicit FilePublisher(sdk::Client& client, std::chrono::milliseconds retry = std::chrono::seconds(1))
      : client_(client), retry_(retry) {}

  [[nodiscard]] FileResult publish(const formats::Source& source, const std::string& file, const std::string& content, TimeMs now,
                                   std::stop_token stop) const;
  // After the file has left the spool: its keys are no longer needed.
  void forget(const std::string& file, const std::string& content) const;

 private:
  [[nodiscard]] std::vector<RecordResult> send(const std::vector<const formats::Record*>& records, const std::string& prefix,
                                               const std::stop_token& stop, bool& interrupted) const;

  sdk::Client& client_;
  std::chrono::milliseconds retry_;
};

// False if stopped before.
bool pause(const std::stop_token& stop, std::chrono::milliseconds time);
// Nothing if stopped before, or if the client is gone.
std::optional<sdk::Outcome> wait_for(std::future<sdk::Outcome>& answer, const std::stop_token& stop);
// A refusal that time mends (the disk is full, the node is busy): publish again.
[[nodiscard]] bool passes(const sdk::Outcome& outcome);

}  // namespace lianxi::adapter
