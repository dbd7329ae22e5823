#include "schemas/codec/deliver_codec.h"

#include "schemas/codec/frame.h"
#include "schemas/limits.h"

namespace lianxi {

std::optional<Result<DeliverView>> decode_deliver(BytesView header, BytesView payload) {
  constexpr std::size_t kTypeAt = 5;  // frame.h
  if (header.size() != kHeaderBytes || header[kTypeAt] != static_cast<std::uint8_t>(MessageType::deliver)) return std::nullopt;
  const auto read = decode_header(header, payload);
  if (!read) return tl::unexpected(read.error());
  if (read->session.value == 0) return refuse(RefusalCode::invalid_field, "header.session", "0 is no follow");
  if ((read->flags & kFlagPacked) != 0)
    return refuse(RefusalCode::invalid_field, "header.flags", "the delivery is compressed, and was not asked for so");
  return DeliverView{read->session, Offset(read->sequence), (read->flags & kFlagCaughtUp) != 0, payload};
}

}  // namespace lianxi
