-- Where the named cursors of agents stand, in the journal of this incarnation; part of a file's opening state like `session`.
CREATE TABLE cursor (
  agent TEXT NOT NULL,
  name TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (agent, name)
) WITHOUT ROWID;
