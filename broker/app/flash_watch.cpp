#include "broker/app/flash_watch.h"

namespace lianxi::app {

void FlashWatch::looked(bool waits) {
  looked_bytes_ = now_.bytes;
  waits_ = waits_ || waits;
  if (!waits_) clear_ = now_;
}

void FlashWatch::taken() {
  from_ = clear_;
  clear_ = now_;
  waits_ = false;
}

}  // namespace lianxi::app
