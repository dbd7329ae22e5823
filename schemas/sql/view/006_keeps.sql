-- Which record states `record_state`: an upsert may keep the state as it was. A view of another version is made anew.
ALTER TABLE resource ADD COLUMN record_state_version INTEGER NOT NULL DEFAULT 0;
