-- What a retention of a feed needs to take out again what counts no more. A view of another version is made anew, so nothing
-- of before is filled in here.

-- The retention that holds for what a region said in a lane to an audience: nothing at or before `cut` (a version) counts.
CREATE TABLE retention (
  region INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  audience INTEGER NOT NULL,
  cut INTEGER NOT NULL,
  version INTEGER NOT NULL,
  event_hash BLOB NOT NULL,
  PRIMARY KEY (region, lane, audience)
) WITHOUT ROWID;

ALTER TABLE report ADD COLUMN event_hash BLOB NOT NULL DEFAULT x'';

-- Each lane has fields of its own in a resource's row, so that what goes from one leaves the other as it is: `record_state` is
-- the state as the record says it, `changed_state` as the last change of state alone does; `state` is the later of both.
-- `bulk_at`, `state_at`: when the last event of each lane was accepted; `updated_at` is the later.
ALTER TABLE resource ADD COLUMN record_state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN changed_state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN bulk_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN state_at INTEGER NOT NULL DEFAULT 0;
