#include "broker/store/journal_audit.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "broker/store/files.h"
#include "broker/store/journal_file.h"
#include "broker/store/proof_run.h"

namespace lianxi::store {

namespace {

// What outlives the process. Losing it costs work, not safety: all is proven again.
class Memory {
 public:
  Memory(const std::string& folder, bool kept) : folder_(folder), kept_(kept) {
    if (!kept_) return;
    std::ifstream in(path());
    std::string word;
    std::uint64_t number = 0;
    if (!std::getline(in, word) || word != kFirstLine) return;
    while (in >> word >> number) {
      if (word == "proven") proven = number;
      if (word == "round") round = number;
      if (word == "begun") round_begun_ms = static_cast<std::int64_t>(number);
      if (word == "damaged") damaged.insert(number);
    }
  }
  void write() const {
    if (!kept_) return;
    const std::string fresh = path() + ".new";
    std::string text = std::string(kFirstLine) + "\nproven " + std::to_string(proven) + "\nround " + std::to_string(round) +
                       "\nbegun " + std::to_string(round_begun_ms) + '\n';
    for (const std::uint64_t number : damaged) text += "damaged " + std::to_string(number) + '\n';
    NewFile file(fresh);
    file.write(BytesView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    file.sync();
    move_file(fresh, path());
    sync_folder(folder_, "");
  }

  std::uint64_t proven = 0;         // all files up to it, damaged or not, were looked at
  std::uint64_t round = 0;          // the next file of the round under way; 0: none is
  std::int64_t round_begun_ms = 0;  // the last one
  std::set<std::uint64_t> damaged;

 private:
  static constexpr const char* kFirstLine = "lianxi audit 1";
  [[nodiscard]] std::string path() const { return folder_ + "/audit"; }
  const std::string& folder_;
  bool kept_;
};

class StepwiseAudit final : public JournalAudit {
 public:
  StepwiseAudit(std::string folder, KeyOf key_of, bool remembers)
      : folder_(std::move(folder)), key_of_(std::move(key_of)), memory_(folder_, remembers), suspects_(memory_.damaged) {}

  [[nodiscard]] StoreResult<std::optional<AuditedFile>> next(std::int64_t now_ms) override {
    return guarded("prove the journal", [&]() -> std::optional<AuditedFile> {
      const std::vector<std::uint64_t> numbers = list_journal(folder_);
      if (numbers.empty()) return std::nullopt;
      if (memory_.proven > numbers.back()) memory_.proven = memory_.round = 0;  // it was another journal
      const auto fresh = std::upper_bound(numbers.begin(), numbers.end(), memory_.proven);
      const bool has_fresh = fresh != numbers.end() && left(*fresh);
      if (!has_fresh || std::exchange(fresh_in_turn_, false) == false) {
        if (const auto number = next_suspect(now_ms)) {
          fresh_in_turn_ = true;
          ProofRun alone(folder_, key_of_);
          return prove(alone, *number, now_ms);
        }
      }
      if (!has_fresh) return go_round(numbers, now_ms);
      if (!fresh_) fresh_ = std::make_unique<ProofRun>(folder_, key_of_);
      memory_.proven = *fresh;
      return prove(*fresh_, *fresh, now_ms);
    });
  }

  void suspect(std::uint64_t number) override {
    suspects_.insert(number);
    looked_at_ms_.erase(number);
  }

  [[nodiscard]] StoreResult<void> suspect(Offset offset) override {
    return guarded("look for the offset's file", [&] {
      // The last file that begins at or below it.
      std::vector<std::uint64_t> numbers = list_journal(folder_);
      while (!numbers.empty()) {
        const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
        const auto meta = read_meta(*open_for_reading({.folder = folder_}, *middle, *middle == numbers.back()));
        const bool holds = meta && meta->first_offset <= offset;
        if (numbers.size() == 1 && holds) suspects_.insert(*middle);
        if (numbers.size() == 1) return;
        holds ? numbers.erase(numbers.begin(), middle) : numbers.erase(middle, numbers.end());
      }
    });
  }

  [[nodiscard]] StoreResult<std::optional<std::uint64_t>> to_archive(std::uint64_t behind,
                                                                     const std::set<std::uint64_t>& but) override {
    return guarded("look for files to archive", [&]() -> std::optional<std::uint64_t> {
      const std::vector<std::uint64_t> numbers = list_journal(folder_);
      for (std::size_t i = 0; i + behind < numbers.size() && numbers[i] <= memory_.proven; ++i) {
        if (!memory_.damaged.contains(numbers[i]) && !but.contains(numbers[i]) &&
            file_exists(journal_path(folder_, numbers[i]), "") && left(numbers[i]))
          return numbers[i];
      }
      return std::nullopt;
    });
  }

 private:
  // Nobody writes it any more.
  [[nodiscard]] bool left(std::uint64_t number) const {
    return find_journal(folder_, number, "") && find_journal(folder_, number + 1, "") &&
           file_size(journal_path(folder_, number) + "-wal", "") == 0;
  }

  // What is known to be damaged waits its time.
  std::optional<std::uint64_t> next_suspect(std::int64_t now_ms) {
    for (auto at = suspects_.begin(); at != suspects_.end();) {
      const std::uint64_t number = *at;
      const auto looked = looked_at_ms_.find(number);
      if (looked != looked_at_ms_.end()) looked->second = std::min(looked->second, now_ms);  // the clock was set back
      if (looked != looked_at_ms_.end() && now_ms - looked->second < kSuspectAgainMs) {
        ++at;
        continue;
      }
      at = suspects_.erase(at);
      if (left(number)) return number;
    }
    return std::nullopt;
  }

  AuditedFile prove(ProofRun& run, std::uint64_t number, std::int64_t now_ms) {
    ProofRun::Proof proof = run.prove(number);
    AuditedFile file{number, proof.events, std::move(proof.findings), {}, {}};
    if (file.findings.empty()) {
      memory_.damaged.erase(number);
      looked_at_ms_.erase(number);
    } else {
      memory_.damaged.insert(number);
      looked_at_ms_[number] = now_ms;
      auto damage = find_damage(folder_, number, key_of_);
      if (damage) file.damage = std::move(*damage);
      if (!damage) file.findings.push_back(damage.error().detail + ": other nodes cannot mend that");
    }
    // A full disk must hide nothing that was found.
    if (const auto kept = guarded("remember what is proven", [&] { memory_.write(); }); !kept)
      file.not_kept = kept.error().detail;
    return file;
  }

  std::optional<AuditedFile> go_round(const std::vector<std::uint64_t>& numbers, std::int64_t now_ms) {
    if (memory_.round == 0) {
      if (now_ms < memory_.round_begun_ms) memory_.round_begun_ms = now_ms;  // the clock was set back
      // The first proof of the files there are was a round too.
      if (memory_.round_begun_ms == 0) memory_.round_begun_ms = now_ms;
      if (now_ms - memory_.round_begun_ms < kRoundMs) return std::nullopt;
      memory_.round_begun_ms = now_ms;
      memory_.round = numbers.front();
      round_.reset();
    }
    const auto at = std::lower_bound(numbers.begin(), numbers.end(), memory_.round);
    if (at == numbers.end() || *at > memory_.proven || !left(*at)) {
      memory_.round = 0;
      (void)guarded("remember the round", [&] { memory_.write(); });  // the next proof tells if that cannot be
      return std::nullopt;
    }
    if (!round_) round_ = std::make_unique<ProofRun>(folder_, key_of_);
    memory_.round = *at + 1;
    return prove(*round_, *at, now_ms);
  }

  std::string folder_;
  KeyOf key_of_;
  Memory memory_;
  std::set<std::uint64_t> suspects_;
  std::map<std::uint64_t, std::int64_t> looked_at_ms_;  // the files known to be damaged
  bool fresh_in_turn_ = false;                          // a suspect had the last one
  std::unique_ptr<ProofRun> fresh_, round_;
};

}  // namespace

StoreResult<std::unique_ptr<JournalAudit>> open_audit(const std::string& folder, KeyOf key_of, bool remembers) {
  return guarded("open the journal's audit", [&]() -> std::unique_ptr<JournalAudit> {
    return std::make_unique<StepwiseAudit>(folder, std::move(key_of), remembers);
  });
}

}  // namespace lianxi::store
