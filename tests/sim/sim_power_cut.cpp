// What a power cut leaves of a simulated disk.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/sim/sim_vfs.h"

namespace lianxi::sim {

namespace fs = std::filesystem;

namespace {

void write_file(const std::string& path, const std::vector<std::uint8_t>& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

}  // namespace

void SimDisk::lose(const std::string& path, FileState& file) {
  const std::uint64_t size_now = fs::file_size(path);
  const bool undo_cut = file.cut_to && random_.chance(50);
  const bool all = undo_cut || random_.chance(40);
  // What stood behind a cut that holds is gone.
  const std::uint64_t base = file.cut_to && !undo_cut ? *file.cut_to : file.synced_size;
  std::uint64_t size = base;
  if (!all && random_.chance(70)) size = size_now;
  if (!file.changed.empty() || size != size_now) rewrite(path, file, base, size, all);
  file.changed.clear();
  file.forgotten.clear();
  file.cut_to.reset();
  file.synced_size = size;
}

void SimDisk::rewrite(const std::string& path, const FileState& file, std::uint64_t base, std::uint64_t size, bool all) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  bool written = descriptor >= 0 && ::ftruncate(descriptor, static_cast<off_t>(size)) == 0;
  Sector run;  // neighbours are written in one call
  std::uint64_t run_at = 0;
  const auto flush = [&] {
    const std::size_t bytes = run_at >= size ? 0 : std::min<std::uint64_t>(run.size(), size - run_at);
    if (bytes > 0)
      written = written && ::pwrite(descriptor, run.data(), bytes, static_cast<off_t>(run_at)) == static_cast<ssize_t>(bytes);
    run.clear();
  };
  std::map<std::uint64_t, std::pair<bool, bool>> pages;  // whether some sectors of it were lost, and some kept
  file.changed.each([&](std::uint64_t sector, const std::uint8_t* old) {
    const std::uint64_t begin = sector * kSectorBytes;
    auto& [lost, kept] = pages[begin / kPageBytes];
    if (!all && !file.forgotten.contains(sector) && random_.chance(50)) {  // this one reached the platter
      kept = true;
      return;
    }
    lost = true;
    ++counters_.sectors_lost;
    if (begin >= size) return;
    if (run_at + run.size() != begin) flush();
    if (run.empty()) run_at = begin;
    if (old == nullptr || (file.cut_to && begin >= base)) {
      run.resize(run.size() + kSectorBytes);
    } else {
      run.insert(run.end(), old, old + kSectorBytes);
    }
  });
  flush();
  if (descriptor >= 0) ::close(descriptor);
  if (!written) std::abort();
  for (const auto& [page, sides] : pages) counters_.pages_torn += sides.first && sides.second ? 1 : 0;
}

void SimDisk::restart_after_power_cut() {
  if (open_files_ != 0) std::abort();
  for (auto it = files_.begin(); it != files_.end();) {
    const std::string& path = it->first;
    if (!fs::exists(path)) {
      it = files_.erase(it);
      continue;
    }
    if (!it->second.entry_synced && random_.chance(50)) {
      fs::remove(path);
      it = files_.erase(it);
      continue;
    }
    lose(path, it->second);
    it->second.entry_synced = true;
    ++it;
  }
  for (const auto& [path, content] : deleted_) {
    if (fs::exists(path) || random_.chance(50)) continue;
    ++counters_.files_returned;
    write_file(path, content);
    files_[path] = FileState{true, content.size(), {}, {}, {}};
  }
  deleted_.clear();
  deferred_.clear();
  revive();
}

}  // namespace lianxi::sim
