#include "broker/store/archive.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "broker/store/files.h"
#include "broker/store/forwarding_file.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kFrameBytes = 64 * 1024;  // of the plain file in one frame
constexpr int kLevel = 6;
// Of what is read: archives made with other numbers are read too, but a damaged table must not ask for all memory.
constexpr std::size_t kMaxFrameBytes = 4 * 1024 * 1024;
constexpr std::size_t kMaxFrames = 4 * 1024 * 1024;
constexpr std::size_t kKeptFrames = 4;  // by a connection
static_assert(kFrameBytes <= kMaxFrameBytes);

// zstd's seekable format, all numbers little-endian.
constexpr std::uint32_t kSkippableMagic = 0x184D2A5E, kSeekableMagic = 0x8F92EAB1;
constexpr std::size_t kSkippableHeaderBytes = 8, kEntryBytes = 8, kChecksumBytes = 4, kFooterBytes = 9;
constexpr std::uint8_t kHasChecksums = 0x80, kReserved = 0x7C;

std::uint32_t little32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8U | std::uint32_t{at[2]} << 16U | std::uint32_t{at[3]} << 24U;
}
void put32(std::vector<std::uint8_t>& to, std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

struct Frame {
  std::uint64_t at = 0;  // in the archive
  std::uint32_t packed = 0, plain = 0;
};

struct State {
  std::vector<Frame> frames;
  std::uint64_t plain_bytes = 0;
  struct Kept {
    std::size_t frame = 0;
    std::uint64_t used = 0;
    std::vector<std::uint8_t> bytes;  // empty: of none
  };
  std::array<Kept, kKeptFrames> kept;
  std::uint64_t uses = 0;
  std::vector<std::uint8_t> packed;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> unpacker{nullptr, ZSTD_freeDCtx};
};
using ArchiveFile = ForwardingFile<State>;

int read_packed(sqlite3_file* file, void* to, std::size_t bytes, std::uint64_t at) {
  sqlite3_file* real = ArchiveFile::real_of(file);
  return real->pMethods->xRead(real, to, static_cast<int>(bytes), static_cast<sqlite3_int64>(at));
}

// The table must account for every byte of the archive, and all frames but the last are of one size.
int read_table(sqlite3_file* file, State& state) {
  sqlite3_int64 size = 0;
  sqlite3_file* real = ArchiveFile::real_of(file);
  if (const int rc = real->pMethods->xFileSize(real, &size); rc != SQLITE_OK) return rc;
  const auto bytes = static_cast<std::uint64_t>(size);
  std::uint8_t footer[kFooterBytes] = {};
  if (bytes < kSkippableHeaderBytes + kFooterBytes) return SQLITE_CORRUPT;
  if (const int rc = read_packed(file, footer, sizeof footer, bytes - sizeof footer); rc != SQLITE_OK) return rc;
  const std::uint64_t count = little32(footer);
  const std::size_t entry = kEntryBytes + ((footer[4] & kHasChecksums) != 0 ? kChecksumBytes : 0);
  if (little32(footer + 5) != kSeekableMagic || (footer[4] & kReserved) != 0 || count == 0 || count > kMaxFrames)
    return SQLITE_CORRUPT;
  const std::uint64_t table_bytes = count * entry + kFooterBytes;
  if (bytes < table_bytes + kSkippableHeaderBytes) return SQLITE_CORRUPT;
  const std::uint64_t table_at = bytes - table_bytes - kSkippableHeaderBytes;
  std::vector<std::uint8_t> table(static_cast<std::size_t>(kSkippableHeaderBytes + table_bytes));
  if (const int rc = read_packed(file, table.data(), table.size(), table_at); rc != SQLITE_OK) return rc;
  if (little32(table.data()) != kSkippableMagic || little32(table.data() + 4) != table_bytes) return SQLITE_CORRUPT;
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t* row = table.data() + kSkippableHeaderBytes + i * entry;
    const Frame frame{at, little32(row), little32(row + 4)};
    const std::uint32_t usual = state.frames.empty() ? frame.plain : state.frames.front().plain;
    const bool fits = i + 1 == count ? frame.plain <= usual : frame.plain == usual;
    if (frame.plain == 0 || frame.plain > kMaxFrameBytes || frame.packed > ZSTD_compressBound(kMaxFrameBytes) || !fits)
      return SQLITE_CORRUPT;
    state.frames.push_back(frame);
    at += frame.packed;
    state.plain_bytes += frame.plain;
  }
  return at == table_at ? SQLITE_OK : SQLITE_CORRUPT;
}

// Into the place of the frame that was used least lately.
int unpack(sqlite3_file* file, std::size_t index, const State::Kept*& out) {
  State& state = ArchiveFile::state_of(file);
  const auto held = std::find_if(state.kept.begin(), state.kept.end(),
                                 [&](const State::Kept& kept) { return !kept.bytes.empty() && kept.frame == index; });
  State::Kept& kept = held != state.kept.end()
                          ? *held
                          : *std::min_element(state.kept.begin(), state.kept.end(),
                                              [](const State::Kept& a, const State::Kept& b) { return a.used < b.used; });
  kept.used = ++state.uses;
  out = &kept;
  if (held != state.kept.end()) return SQLITE_OK;
  const Frame& frame = state.frames[index];
  kept.frame = index;
  kept.bytes.clear();  // nothing is held until it is proven
  state.packed.resize(frame.packed);
  if (const int rc = read_packed(file, state.packed.data(), frame.packed, frame.at); rc != SQLITE_OK) return rc;
  if (!state.unpacker) state.unpacker.reset(ZSTD_createDCtx());
  if (!state.unpacker) return SQLITE_NOMEM;
  kept.bytes.resize(frame.plain);
  const std::size_t got =
      ZSTD_decompressDCtx(state.unpacker.get(), kept.bytes.data(), frame.plain, state.packed.data(), frame.packed);
  if (ZSTD_isError(got) == 0 && got == frame.plain) return SQLITE_OK;
  kept.bytes.clear();
  return SQLITE_CORRUPT;
}

int read_plain(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  const State& state = ArchiveFile::state_of(file);
  auto* into = static_cast<std::uint8_t*>(to);
  auto at = static_cast<std::uint64_t>(offset);
  auto left = static_cast<std::size_t>(amount);
  const std::uint64_t usual = state.frames.front().plain;
  while (left > 0) {
    if (at >= state.plain_bytes) {
      std::memset(into, 0, left);  // as SQLite wants it
      return SQLITE_IOERR_SHORT_READ;
    }
    const auto index = static_cast<std::size_t>(at / usual);
    const State::Kept* frame = nullptr;
    if (const int rc = unpack(file, index, frame); rc != SQLITE_OK) return rc;
    const auto begin = static_cast<std::size_t>(at - index * usual);
    const std::size_t count = std::min(left, frame->bytes.size() - begin);
    std::memcpy(into, frame->bytes.data() + begin, count);
    into += count;
    at += count;
    left -= count;
  }
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  try {
    return read_plain(file, to, amount, offset);
  } catch (const std::bad_alloc&) {  // SQLite's frames lie in between, which no exception may cross
    return SQLITE_NOMEM;
  }
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(ArchiveFile::state_of(file).plain_bytes);
  return SQLITE_OK;
}

// Opened immutable, it is never written.
int write(sqlite3_file* /*file*/, const void* /*from*/, int /*amount*/, sqlite3_int64 /*offset*/) {
  return SQLITE_READONLY;
}
int truncate(sqlite3_file* /*file*/, sqlite3_int64 /*size*/) {
  return SQLITE_READONLY;
}
int sync(sqlite3_file* /*file*/, int /*flags*/) {
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = ArchiveFile::methods(1);
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = file_size;
  return methods;
}();

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* real = static_cast<sqlite3_vfs*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return real->xOpen(real, name, file, flags, out_flags);
  if ((flags & SQLITE_OPEN_READONLY) == 0) return SQLITE_CANTOPEN;
  int rc = ArchiveFile::open(real, name, file, flags, out_flags, &kMethods);
  if (rc != SQLITE_OK) return rc;
  try {
    rc = read_table(file, ArchiveFile::state_of(file));
  } catch (const std::bad_alloc&) {
    rc = SQLITE_NOMEM;
  }
  if (rc == SQLITE_OK) return SQLITE_OK;
  ArchiveFile::close(file);
  file->pMethods = nullptr;
  return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_CORRUPT : rc;
}

}  // namespace

const std::string& archive_vfs() {
  static const StackedVfs ours("lianxi-archive", sizeof(ArchiveFile), open);
  return ours.name();
}

void write_archive(const std::string& from, const std::string& to) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> packer(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (!packer) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_checksumFlag, 1);
  VfsFile plain(from, FileKind::database, "");
  const std::uint64_t size = plain.size_bytes();
  NewFile out(to);
  std::vector<std::uint8_t> bytes(kFrameBytes), packed(ZSTD_compressBound(kFrameBytes)), table;
  std::uint64_t frames = 0;
  for (std::uint64_t at = 0; at < size; at += kFrameBytes, ++frames) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, size - at));
    if (!plain.read(at, bytes.data(), count)) fail(StoreError::io, from + " became shorter while it was archived");
    const std::size_t made = ZSTD_compress2(packer.get(), packed.data(), packed.size(), bytes.data(), count);
    if (ZSTD_isError(made) != 0) fail(StoreError::io, "cannot pack " + from + ": " + ZSTD_getErrorName(made));
    out.write(BytesView(packed).first(made));
    put32(table, made);
    put32(table, count);
  }
  std::vector<std::uint8_t> header;
  put32(header, kSkippableMagic);
  put32(header, table.size() + kFooterBytes);
  put32(table, frames);
  table.push_back(0);
  put32(table, kSeekableMagic);
  out.write(header);
  out.write(table);
  out.sync();
}

bool archive_holds(const std::string& archive, const std::string& file) {
  VfsFile packed(archive, FileKind::database, archive_vfs()), plain(file, FileKind::database, "");
  const std::uint64_t size = plain.size_bytes();
  if (packed.size_bytes() != size) return false;
  std::vector<std::uint8_t> ours(kFrameBytes), theirs(kFrameBytes);
  for (std::uint64_t at = 0; at < size; at += kFrameBytes) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kFrameBytes, size - at));
    if (!packed.read(at, ours.data(), count) || !plain.read(at, theirs.data(), count)) return false;
    if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(count), theirs.begin())) return false;
  }
  return true;
}

}  // namespace lianxi::store
