-- Feeds that are not held from their first event on, but from behind a retention (schemas/journal_batch.h, Beginning): in every
-- file from the one on that holds the feed's first segment (opening state), the proof in that one alone.
CREATE TABLE beginning (
  region INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  retained_at INTEGER NOT NULL,
  proof BLOB,
  PRIMARY KEY (region, epoch, lane, audience)
) WITHOUT ROWID;
