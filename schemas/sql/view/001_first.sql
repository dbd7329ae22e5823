-- What the journal adds up to. Rows are functions of the set of events: any order of arrival gives the same rows. Each row of
-- an entity is keyed by (entity, audience, status), so that narrower content and drills never touch a shared, actual row.
-- `version`: (epoch, ordinal) of the home region as one number, see projections/applied.h. `id`: the offset, in this node's
-- journal, of the event that made the row. An audience's digest is a sum of hashes, of nothing that is local to this node: the
-- chain's own hash of the event for each alert and report, `row_hash` (BLAKE2b of the row's content) for rows made of several.
-- These tables may change with any release: a view of another version is deleted and made anew from the journal.

-- region, incarnation, view_version, offset (all below is applied).
CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE audience (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL
);

-- How far each feed is applied.
CREATE TABLE feed (
  region INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (region, epoch, lane, audience)
) WITHOUT ROWID;

-- Events that left no row, by reason.
CREATE TABLE unread (
  reason TEXT NOT NULL PRIMARY KEY,
  events INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  audience INTEGER NOT NULL,
  status INTEGER NOT NULL,
  region INTEGER NOT NULL,
  version INTEGER NOT NULL,
  sender TEXT NOT NULL,
  identifier TEXT NOT NULL,
  sent INTEGER NOT NULL,
  msg_type INTEGER NOT NULL,
  level INTEGER NOT NULL,
  place TEXT NOT NULL,
  agency TEXT NOT NULL,
  event TEXT NOT NULL,
  headline TEXT NOT NULL,
  area TEXT NOT NULL,
  expires INTEGER,            -- of the whole alert; NULL: not by itself
  event_hash BLOB NOT NULL,
  event_bytes BLOB NOT NULL,
  UNIQUE (entity, audience, status)
);
CREATE INDEX alert_by_time ON alert (sent DESC, entity);

-- What an alert refers to, as an entity of its own home region; it may not have arrived.
CREATE TABLE alert_reference (
  target TEXT NOT NULL,
  alert INTEGER NOT NULL,
  PRIMARY KEY (target, alert)
) WITHOUT ROWID;
CREATE INDEX alert_reference_by_alert ON alert_reference (alert);

-- Each *_key, *_region: which report the field comes from, see projections/incident.h.
CREATE TABLE incident (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  audience INTEGER NOT NULL,
  status INTEGER NOT NULL,
  region INTEGER NOT NULL,
  state INTEGER NOT NULL,
  place TEXT NOT NULL,
  head_key INTEGER NOT NULL,
  head_region INTEGER NOT NULL,
  incident_class INTEGER NOT NULL,
  class_key INTEGER NOT NULL,
  class_region INTEGER NOT NULL,
  level INTEGER NOT NULL,
  level_key INTEGER NOT NULL,
  level_region INTEGER NOT NULL,
  title TEXT NOT NULL,
  title_key INTEGER NOT NULL,
  title_region INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_report INTEGER NOT NULL,  -- the one of its reports that came last; each names the one before it
  row_hash BLOB NOT NULL,
  UNIQUE (entity, audience, status)
);

-- A set: one row an event, none ever replaced.
CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  incident INTEGER NOT NULL,
  previous INTEGER NOT NULL,  -- of the same incident; 0: none
  region INTEGER NOT NULL,    -- whose feed
  version INTEGER NOT NULL,
  publisher TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  event_bytes BLOB NOT NULL
);

-- Four groups of fields, each as the latest event that states it left it; version 0: none yet. Visible if the record's version
-- is above that of the removal.
CREATE TABLE resource (
  id INTEGER PRIMARY KEY,
  entity TEXT NOT NULL,
  audience INTEGER NOT NULL,
  status INTEGER NOT NULL,
  region INTEGER NOT NULL,
  removed_version INTEGER NOT NULL,
  record_version INTEGER NOT NULL,
  type INTEGER NOT NULL,
  level INTEGER NOT NULL,
  agency TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  capabilities TEXT NOT NULL,  -- one a line
  unit TEXT NOT NULL,
  supply_code TEXT NOT NULL,
  contact TEXT NOT NULL,
  phone TEXT NOT NULL,
  attributes TEXT NOT NULL,    -- name, tab, value; one a line
  state_version INTEGER NOT NULL,
  state INTEGER NOT NULL,
  quantity_version INTEGER NOT NULL,
  quantity_milli INTEGER NOT NULL,
  capacity INTEGER,
  occupancy INTEGER,
  place_version INTEGER NOT NULL,
  place TEXT NOT NULL,
  address TEXT NOT NULL,
  lon REAL,
  lat REAL,
  updated_at INTEGER NOT NULL,
  row_hash BLOB NOT NULL,
  UNIQUE (entity, audience, status)
);
CREATE INDEX resource_by_place ON resource (place);

-- Visible resources with a location: a point's box is the point, rounded outward to 32 bits.
CREATE VIRTUAL TABLE resource_spot USING rtree (id, west, east, south, north);

-- Of visible resources.
CREATE TABLE resource_capability (
  capability TEXT NOT NULL,
  resource INTEGER NOT NULL,
  PRIMARY KEY (capability, resource)
) WITHOUT ROWID;
