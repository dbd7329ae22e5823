// Many events to the node, with a bound on what is on its way: batches go as they fill, answers are counted as they come.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agents/operator/console.h"
#include "agents/operator/progress.h"

namespace lianxi::cli {

class Upload {
 public:
  struct Refused {
    std::string entity;
    Refusal refusal;
  };
  struct Counts {
    std::uint64_t accepted = 0, refused = 0;
    Offset last;                 // of what was accepted
    std::vector<Refused> first;  // of what was refused, kShown at most
  };
  static constexpr std::size_t kShown = 20;

  // Borrows all; `client` must go before this does, or have answered everything.
  Upload(sdk::Client& client, const Common& common, const Console& console, Progress& progress);

  // Takes the event; may wait until there is room. Nothing: go on. Else the exit status, with the reason printed.
  [[nodiscard]] std::optional<Exit> send(const Event& event);
  // Sends what is left and waits for every answer.
  [[nodiscard]] std::optional<Exit> finish();
  [[nodiscard]] Counts counts() const;

 private:
  static constexpr std::size_t kBatch = 512;
  static constexpr std::uint64_t kOnTheWay = 32 * 1024;  // events
  // Shared with the client's thread.
  struct Shared {
    mutable std::mutex mutex;
    std::condition_variable moved;
    Counts counts;
    std::uint64_t answered = 0;
  };
  void hand_over();
  [[nodiscard]] std::optional<Exit> wait_until(std::uint64_t answered);

  sdk::Client& client_;
  const Common& common_;
  const Console& console_;
  Progress& progress_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<Event> batch_;
  std::uint64_t sent_ = 0;
};

}  // namespace lianxi::cli
