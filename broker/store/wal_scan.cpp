#include "broker/store/wal_scan.h"

#include <vector>

#include "broker/store/files.h"

namespace lianxi::store {

namespace {

constexpr std::uint64_t kWalHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;      // checksums over little-endian words
constexpr std::uint32_t kMagicBig = kMagic | 1U;  // over big-endian words
constexpr std::uint32_t kOldGenerations = 1'000'000;

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

Frame read_frame(const std::vector<std::uint8_t>& bytes, Sum before, bool big) {
  Frame frame{big32(&bytes[0]),
              big32(&bytes[4]) != 0,
              {big32(&bytes[8]), big32(&bytes[12])},
              false,
              {big32(&bytes[16]), big32(&bytes[20])}};
  const Sum head = add_up(before, bytes.data(), 8, big);
  frame.sums = add_up(head, bytes.data() + kFrameHeaderBytes, bytes.size() - kFrameHeaderBytes, big) == frame.stored;
  return frame;
}

// Left by an earlier generation of a log that was begun again from its start: not part of this one.
bool is_older(Salts frame, Salts log) {
  const std::uint32_t behind = log.a - frame.a;
  return behind >= 1 && behind <= kOldGenerations && frame.b != log.b;
}

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
  if (header_good) page_bytes = big32(header + 8);
  if (page_bytes < 512 || page_bytes > 65536) return scan;
  const std::uint64_t frame_bytes = kFrameHeaderBytes + page_bytes;
  scan.frames = (size - kWalHeaderBytes) / frame_bytes;
  if (scan.frames == 0) return scan;
  if (!header_good) {
    scan.bad_frame = 0;
    scan.place = "header, byte 0";
  }

  Salts salts{big32(header + 16), big32(header + 20)};
  Sum before = header_sum;
  bool later = !header_good;  // what comes now belongs to a later commit than the bad frame
  std::vector<std::uint8_t> bytes(frame_bytes);
  for (std::uint64_t i = 1; i <= scan.frames; ++i) {
    const std::uint64_t at = kWalHeaderBytes + (i - 1) * frame_bytes;
    if (!file.read(at, bytes.data(), bytes.size())) break;
    const Frame frame = read_frame(bytes, before, big);
    before = frame.stored;
    if (i == 1 && !header_good) salts = frame.salts;
    const bool good = frame.sums && frame.salts == salts;
    // In a torn frame whatever stands where the header was says nothing.
    const bool commits = frame.commits && (frame.sums || frame.salts == salts);
    if (!scan.bad_frame) {
      if (good) {
        scan.valid_frames = i;
        continue;
      }
      if (!frame.sums && is_older(frame.salts, salts)) break;
      scan.bad_frame = i;
      scan.place = "frame " + std::to_string(i) + ", byte " + std::to_string(at) + ", page " + std::to_string(frame.page);
      later = commits;
    } else if (good && later) {
      scan.later_commits = true;
      break;
    } else if (commits) {
      later = true;
    }
  }
  return scan;
}

}  // namespace lianxi::store
