#include "broker/store/wal_scan.h"

#include <algorithm>
#include <span>
#include <vector>

#include "broker/store/files.h"

namespace lianxi::store {

namespace {

constexpr std::uint64_t kWalHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;      // checksums over little-endian words
constexpr std::uint32_t kMagicBig = kMagic | 1U;  // over big-endian words
constexpr std::uint64_t kReadFrames = 256;        // at a time

std::uint32_t big32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24U | std::uint32_t{p[1]} << 16U | std::uint32_t{p[2]} << 8U | p[3];
}
std::uint32_t little32(const std::uint8_t* p) {
  return std::uint32_t{p[3]} << 24U | std::uint32_t{p[2]} << 16U | std::uint32_t{p[1]} << 8U | p[0];
}

struct Sum {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Sum&) const = default;
};

Sum add_up(Sum sum, const std::uint8_t* bytes, std::size_t count, bool big) {
  for (std::size_t i = 0; i + 8 <= count; i += 8) {
    sum.a += (big ? big32(bytes + i) : little32(bytes + i)) + sum.b;
    sum.b += (big ? big32(bytes + i + 4) : little32(bytes + i + 4)) + sum.a;
  }
  return sum;
}

struct Salts {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Salts&) const = default;
};

struct Frame {
  std::uint32_t page = 0;
  bool commits = false;
  Salts salts;
  bool sums = false;  // its checksum follows from the one stored before it
  Sum stored;
};

Frame read_frame(std::span<const std::uint8_t> bytes, Sum before, bool big) {
  Frame frame{big32(&bytes[0]),
              big32(&bytes[4]) != 0,
              {big32(&bytes[8]), big32(&bytes[12])},
              false,
              {big32(&bytes[16]), big32(&bytes[20])}};
  const Sum head = add_up(before, bytes.data(), 8, big);
  frame.sums = add_up(head, bytes.data() + kFrameHeaderBytes, bytes.size() - kFrameHeaderBytes, big) == frame.stored;
  return frame;
}

// Takes a log's frames one by one.
class Judge {
 public:
  Judge(WalScan& scan, std::optional<Salts> salts, Sum header_sum, bool big)
      : scan_(scan), salts_(salts), before_(header_sum), big_(big), later_(!salts) {}

  // False: enough is known.
  bool take(std::uint64_t number, std::uint64_t at, std::span<const std::uint8_t> bytes) {
    if (!salts_) salts_ = salts_of(bytes);
    const bool ours = salts_of(bytes) == *salts_;
    if (end_ && !ours) {  // most of what stands behind the end; its sum is only the next one's beginning
      before_ = {big32(&bytes[16]), big32(&bytes[20])};
      return true;
    }
    const Frame frame = read_frame(bytes, before_, big_);
    before_ = frame.stored;
    const bool good = frame.sums && ours;
    if (!end_ && !scan_.bad_frame) {
      if (good) {
        scan_.valid_frames = number;
        scan_.valid_bytes = at + bytes.size();
        return true;
      }
      end_ = number;
      place_ = "frame " + std::to_string(number) + ", byte " + std::to_string(at) + ", page " + std::to_string(frame.page);
      // In a torn frame whatever stands where the header was says nothing.
      later_ = frame.commits && (frame.sums || ours);
      if (frame.sums || ours) blame();
      return true;
    }
    if (!scan_.bad_frame) blame();
    if (good && later_) {
      scan_.later_commits = true;
      return false;
    }
    later_ = later_ || (frame.commits && ours);
    return true;
  }

 private:
  static Salts salts_of(std::span<const std::uint8_t> bytes) { return {big32(&bytes[8]), big32(&bytes[12])}; }
  // The frame at the end belongs to this log, or others that do stand behind it.
  void blame() {
    scan_.bad_frame = end_;
    scan_.place = place_;
  }

  WalScan& scan_;
  std::optional<Salts> salts_;  // none: the header cannot be read, and the first frame's count
  Sum before_;
  bool big_;
  bool later_;                        // what comes now belongs to a later commit than the bad frame
  std::optional<std::uint64_t> end_;  // the first frame that is not good: blocks keep what an earlier log left there
  std::string place_;
};

}  // namespace

std::uint32_t page_bytes_of(const std::string& database, const std::string& vfs) {
  if (!file_exists(database, vfs)) return 0;
  VfsFile file(database, FileKind::database, vfs);
  std::uint8_t header[18] = {};
  if (!file.read(0, header, sizeof header)) return 0;
  const std::uint32_t bytes = std::uint32_t{header[16]} << 8U | header[17];
  return bytes == 1 ? 65536 : bytes;
}

WalScan scan_wal(const std::string& path, std::uint32_t page_bytes, const std::string& vfs) {
  WalScan scan;
  if (!file_exists(path, vfs)) return scan;
  VfsFile file(path, FileKind::wal, vfs);
  const std::uint64_t size = file.size_bytes();
  std::uint8_t header[kWalHeaderBytes] = {};
  if (size < kWalHeaderBytes || !file.read(0, header, sizeof header)) return scan;
  const std::uint32_t magic = big32(header);
  const bool big = magic == kMagicBig;
  const Sum header_sum{big32(header + 24), big32(header + 28)};
  const bool header_good = (magic == kMagic || big) && add_up({}, header, 24, big) == header_sum && big32(header + 8) != 0;
  // Emptied: nothing behind the header counts any more.
  if (std::all_of(std::begin(header), std::end(header), [](std::uint8_t byte) { return byte == 0; })) return scan;
  if (header_good) page_bytes = big32(header + 8);
  if (page_bytes < 512 || page_bytes > 65536) return scan;
  const std::uint64_t frame_bytes = kFrameHeaderBytes + page_bytes;
  scan.frames = (size - kWalHeaderBytes) / frame_bytes;
  if (scan.frames == 0) return scan;
  if (!header_good) {
    scan.bad_frame = 0;
    scan.place = "header, byte 0";
  }
  const Salts salts{big32(header + 16), big32(header + 20)};
  Judge judge(scan, header_good ? std::optional(salts) : std::nullopt, header_sum, big);
  std::vector<std::uint8_t> bytes(frame_bytes * std::min(kReadFrames, scan.frames));
  for (std::uint64_t next = 1; next <= scan.frames;) {
    const std::uint64_t count = std::min(kReadFrames, scan.frames - next + 1);
    const std::uint64_t at = kWalHeaderBytes + (next - 1) * frame_bytes;
    if (!file.read(at, bytes.data(), count * frame_bytes)) break;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!judge.take(next + i, at + i * frame_bytes, std::span(bytes).subspan(i * frame_bytes, frame_bytes))) return scan;
    }
    next += count;
  }
  return scan;
}

}  // namespace lianxi::store
