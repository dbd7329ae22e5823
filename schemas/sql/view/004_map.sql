-- The map: more of what a resource says, what mobilisations hold of it, and a text index. Places, capabilities and states are
-- asked in memory (broker/store/map_index.h), so their tables go. A view of another version is made anew.
DROP TABLE resource_spot;
DROP TABLE resource_capability;
DROP INDEX resource_by_place;

-- Of the record.
ALTER TABLE resource ADD COLUMN answerable TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN answerable_phone TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN valid_from INTEGER;
ALTER TABLE resource ADD COLUMN valid_until INTEGER;
ALTER TABLE resource ADD COLUMN languages TEXT NOT NULL DEFAULT '';  -- one a line
ALTER TABLE resource ADD COLUMN on_call TEXT NOT NULL DEFAULT '';    -- days, from_minute, to_minute; one a line

-- Of the place: a closed ring, longitude and latitude of a point a line; empty: none.
ALTER TABLE resource ADD COLUMN area TEXT NOT NULL DEFAULT '';

-- `contact` and `phone` are a group of their own, which a row may have without a record: an audience narrower than the record's.
-- It has the place, agency and level of its own event, by which rights are judged then.
ALTER TABLE resource ADD COLUMN contact_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN contact_place TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN contact_agency TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN contact_level INTEGER NOT NULL DEFAULT 0;

-- Derived, outside row_hash: of what mobilisations hold, and `state` with it.
ALTER TABLE resource ADD COLUMN held_milli INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN held_state INTEGER;
ALTER TABLE resource ADD COLUMN free_milli INTEGER NOT NULL DEFAULT 0;

-- What mobilisations hold of an entity, and the furthest phase of them as a state of the resource; NULL: none.
CREATE TABLE holding_sum (
  entity TEXT NOT NULL,
  status INTEGER NOT NULL,
  held_milli INTEGER NOT NULL,
  state INTEGER,
  PRIMARY KEY (entity, status)
) WITHOUT ROWID;

-- Of visible, actual rows, by their number; the tokenizer is ours (broker/store/map_text.h). Contentless, and says only which rows
-- hold a token: what spans several is judged by the row's own text.
CREATE VIRTUAL TABLE resource_text USING fts5 (words, content='', columnsize=0, detail=none, tokenize='lianxi');
