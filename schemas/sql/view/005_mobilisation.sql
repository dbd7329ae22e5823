-- Mobilisations: a set of messages, and what they add up to (schemas/mobilisation_thread.h). A view of another version is made anew.

-- A thread. `sent`, `incident`, `place`: of what began it, as updated last.
CREATE TABLE mobilisation (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  audience INTEGER NOT NULL,
  status INTEGER NOT NULL,
  region INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  incident TEXT NOT NULL,
  place TEXT NOT NULL,
  over INTEGER NOT NULL,
  row_hash BLOB NOT NULL,
  UNIQUE (entity, audience, status)
);
CREATE INDEX mobilisation_by_time ON mobilisation (sent DESC, status, entity);

-- One row an event, none ever replaced.
CREATE TABLE mobilisation_message (
  id INTEGER PRIMARY KEY,
  mobilisation INTEGER NOT NULL,
  region INTEGER NOT NULL,    -- whose feed
  version INTEGER NOT NULL,
  time INTEGER NOT NULL,      -- of the stamp
  publisher TEXT NOT NULL,
  event_hash BLOB NOT NULL,
  event_bytes BLOB NOT NULL
);
CREATE INDEX mobilisation_message_of ON mobilisation_message (mobilisation, region, version);

-- What an owner has said of a resource of its own in a thread.
CREATE TABLE holding (
  mobilisation INTEGER NOT NULL,
  region INTEGER NOT NULL,
  resource TEXT NOT NULL,
  item TEXT NOT NULL,
  status INTEGER NOT NULL,
  state INTEGER NOT NULL,
  held INTEGER NOT NULL,
  quantity_milli INTEGER NOT NULL,
  until INTEGER,              -- the promise ends then; NULL: not by itself
  taken_at INTEGER NOT NULL,  -- when it was given
  PRIMARY KEY (mobilisation, region, resource, item)
) WITHOUT ROWID;
CREATE INDEX holding_by_resource ON holding (resource, status);

-- What mobilisations hold of an entity, and the furthest phase of them as a state of the resource; NULL: none.
CREATE TABLE IF NOT EXISTS holding_sum (
  entity TEXT NOT NULL,
  status INTEGER NOT NULL,
  held_milli INTEGER NOT NULL,
  state INTEGER,
  PRIMARY KEY (entity, status)
) WITHOUT ROWID;
