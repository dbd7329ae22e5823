-- The retention of each feed that goes furthest: where the feed may begin for whoever holds nothing of it. `offset` is where it
-- stands in this node's journal.
CREATE TABLE retained (
  region INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience TEXT NOT NULL,
  through_sequence INTEGER NOT NULL,
  through_hash BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  PRIMARY KEY (region, epoch, lane, audience)
) WITHOUT ROWID;

-- Of a feed that begins here behind a retention: the last sequence that never came, while the retention has not come either.
-- Until then rows stand here that others have with more, at the same vector.
ALTER TABLE feed ADD COLUMN awaits INTEGER NOT NULL DEFAULT 0;
