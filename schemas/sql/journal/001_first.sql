-- One file of the journal: a range of this node's offsets, self-contained. Formats of the blobs: schemas/README.md.
-- Unsigned 64-bit numbers are stored as the signed number with the same bits.

-- region, epoch, incarnation, file, first_offset, opening_ordinal, opening_time. No row: the file was never begun.
CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- Every feed held when the file was begun, with its head then; feeds that began later open at sequence 0 and a zero hash.
CREATE TABLE feed (
  id INTEGER PRIMARY KEY,
  region INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience TEXT NOT NULL,
  opening_sequence INTEGER NOT NULL,
  opening_hash BLOB NOT NULL,
  UNIQUE (region, epoch, lane, audience)
);

-- `offset` is that of the first event.
CREATE TABLE segment (
  offset INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  feed INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  bytes BLOB NOT NULL
);

-- The head of a feed after each segment, with the home node's signature over it. `offset`: the segment it closes.
CREATE TABLE seal (
  feed INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  hash BLOB NOT NULL,
  signature BLOB,
  PRIMARY KEY (feed, sequence)
) WITHOUT ROWID;

CREATE TABLE session (
  agent TEXT NOT NULL,
  session INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  high_water INTEGER NOT NULL,
  answered_through INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (agent, session, lane)
) WITHOUT ROWID;

-- First answers to a dense run of sequences, until the client has named them as held.
CREATE TABLE answer (
  agent TEXT NOT NULL,
  session INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  answers BLOB NOT NULL,
  PRIMARY KEY (agent, session, lane, first)
) WITHOUT ROWID;
