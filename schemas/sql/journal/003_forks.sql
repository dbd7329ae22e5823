-- What holds commitments back after a restore (schemas/journal_batch.h, Fence), at most one row; part of a file's opening state.
CREATE TABLE fence (
  epoch INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  since INTEGER NOT NULL
);
-- Whom it waits for: lanes as a mask of those not seen.
CREATE TABLE fence_missing (
  region INTEGER PRIMARY KEY,
  lanes INTEGER NOT NULL
);

-- Other histories of feeds, as somebody delivered them: what is known of each part, in every file from its own on (opening
-- state) ...
CREATE TABLE quarantine (
  region INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience TEXT NOT NULL,
  first_sequence INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  last_hash BLOB NOT NULL,
  differs INTEGER NOT NULL,
  held_hash BLOB NOT NULL,
  other_hash BLOB NOT NULL,
  by INTEGER NOT NULL,
  at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (region, epoch, lane, audience, last_sequence, last_hash)
) WITHOUT ROWID;
-- ... and its bytes with their seal, in the file that was written when it came.
CREATE TABLE quarantined_segment (
  last_hash BLOB NOT NULL PRIMARY KEY,
  segment BLOB NOT NULL
) WITHOUT ROWID;
