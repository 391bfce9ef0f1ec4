"""The tables of a run's three databases. docs/archive.md explains them to people with sqlite3.

Blobs are raw unless they begin with the bytes 28 B5 2F FD, a zstd frame (see packing.py); no raw
content can begin so.
"""

from __future__ import annotations

from dataclasses import dataclass


class ArchiveError(RuntimeError):
    """A run folder's file that cannot be read or written; the message names it and says why."""


class MissingFileError(ArchiveError):
    """A run folder's file that does not exist, or whose maker has not come through yet."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What one file holds: `migrations[n]` is the SQL that takes version n to version n + 1.

    Statements of a migration end with a semicolon at the end of a line, all but the last.
    """

    file: str
    migrations: tuple[str, ...]

    @property
    def version(self) -> int:
        return len(self.migrations)


_ARCHIVE_1 = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- With its fraction: exports tell runs apart by it.
INSERT INTO meta VALUES ('created', strftime('%s', 'now') || substr(strftime('%f', 'now'), 3));

CREATE TABLE task (
  idx INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pairs INTEGER NOT NULL,
  tests INTEGER NOT NULL,
  train BLOB NOT NULL,
  test BLOB NOT NULL,
  truth BLOB
) STRICT;

CREATE TABLE iteration (
  idx INTEGER PRIMARY KEY,
  phase TEXT NOT NULL CHECK (phase IN ('train', 'test')),
  policy TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  first INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  started REAL NOT NULL,
  ended REAL,
  seconds REAL
) STRICT;

CREATE TABLE search (
  iteration INTEGER NOT NULL REFERENCES iteration,
  task INTEGER NOT NULL REFERENCES task,
  pulls INTEGER NOT NULL DEFAULT 0,
  candidates INTEGER NOT NULL DEFAULT 0,
  programs INTEGER NOT NULL DEFAULT 0,
  errors INTEGER NOT NULL DEFAULT 0,
  filtered INTEGER NOT NULL DEFAULT 0,
  perfect INTEGER NOT NULL DEFAULT 0,
  right INTEGER NOT NULL DEFAULT 0,
  best REAL,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  active REAL NOT NULL,
  finished REAL,
  seconds REAL,
  formula TEXT,
  PRIMARY KEY (iteration, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE pull (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  iteration INTEGER NOT NULL,
  task INTEGER NOT NULL,
  number INTEGER NOT NULL,
  operator TEXT NOT NULL CHECK (operator IN ('sample', 'refine')),
  island INTEGER NOT NULL,
  parent INTEGER REFERENCES candidate,
  draw REAL,
  seed INTEGER NOT NULL,
  created REAL NOT NULL,
  seconds REAL NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  UNIQUE (iteration, task, number),
  FOREIGN KEY (iteration, task) REFERENCES search
) STRICT;

CREATE INDEX pull_parent ON pull (parent) WHERE parent IS NOT NULL;

CREATE TABLE dictionary (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE program (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  length INTEGER NOT NULL,
  source BLOB NOT NULL
) STRICT;

CREATE TABLE pattern (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  digest BLOB NOT NULL,
  outputs BLOB NOT NULL,
  right INTEGER,
  UNIQUE (task, digest)
) STRICT;

CREATE TABLE outcome (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  digest BLOB NOT NULL,
  results BLOB NOT NULL,
  right INTEGER NOT NULL,
  runs INTEGER NOT NULL,
  pattern INTEGER REFERENCES pattern,
  UNIQUE (task, digest)
) STRICT;

CREATE TABLE candidate (
  id INTEGER PRIMARY KEY,
  pull INTEGER NOT NULL REFERENCES pull,
  program INTEGER REFERENCES program,
  outcome INTEGER REFERENCES outcome,
  accuracy REAL,
  filter TEXT,
  prior REAL,
  finish TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL
) STRICT;

CREATE INDEX candidate_perfect ON candidate (id) WHERE accuracy = 1 AND filter IS NULL;

CREATE TABLE reply (
  candidate INTEGER PRIMARY KEY REFERENCES candidate,
  text BLOB NOT NULL
) STRICT;

CREATE TABLE vote (
  iteration INTEGER NOT NULL,
  task INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  pattern INTEGER NOT NULL REFERENCES pattern,
  weight REAL NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (iteration, task, rank),
  FOREIGN KEY (iteration, task) REFERENCES search
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  time REAL NOT NULL,
  level TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE metric (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  value REAL
) STRICT;

CREATE INDEX metric_name ON metric (name, id);

CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY,
  iteration INTEGER NOT NULL REFERENCES iteration,
  path TEXT NOT NULL,
  policy TEXT NOT NULL,
  base TEXT NOT NULL,
  examples INTEGER NOT NULL,
  seconds REAL NOT NULL,
  created REAL NOT NULL
) STRICT;

CREATE TABLE example (
  id INTEGER PRIMARY KEY,
  iteration INTEGER NOT NULL REFERENCES iteration,
  kind TEXT NOT NULL CHECK (kind IN ('sample', 'refine')),
  label TEXT NOT NULL,
  run TEXT,
  candidate INTEGER NOT NULL,
  parent INTEGER,
  weight REAL NOT NULL,
  rejected TEXT
) STRICT;

CREATE INDEX example_iteration ON example (iteration, id);

CREATE VIEW candidate_view AS
SELECT
  c.id AS id,
  p.iteration AS iteration,
  p.task AS task,
  c.id & 16777215 AS number,
  p.operator AS operator,
  p.number AS pull,
  p.island AS island,
  p.parent AS parent,
  p.created AS created,
  c.program AS program,
  g.length AS length,
  c.outcome AS outcome,
  c.accuracy AS accuracy,
  c.filter AS filter,
  o.runs AS runs,
  o.pattern AS pattern,
  t.right = (1 << k.tests) - 1 AS right,
  c.prior AS prior,
  c.finish AS finish,
  c.tokens_in AS tokens_in,
  c.tokens_out AS tokens_out
FROM candidate AS c
JOIN pull AS p ON p.id = c.pull
JOIN task AS k ON k.idx = p.task
LEFT JOIN program AS g ON g.id = c.program
LEFT JOIN outcome AS o ON o.id = c.outcome
LEFT JOIN pattern AS t ON t.id = o.pattern;

CREATE VIEW submission_view AS
SELECT
  v.iteration AS iteration,
  k.idx AS task,
  k.id AS task_id,
  v.rank AS rank,
  v.weight AS weight,
  v.count AS count,
  t.right AS right,
  t.right = (1 << k.tests) - 1 AS solved
FROM vote AS v
JOIN task AS k ON k.idx = v.task
JOIN pattern AS t ON t.id = v.pattern
WHERE v.rank <= 2
"""

# What language models cost, and which weights wrote a candidate.
_ARCHIVE_2 = """
ALTER TABLE candidate ADD COLUMN tokens_cached INTEGER NOT NULL DEFAULT 0;

ALTER TABLE candidate ADD COLUMN cost REAL NOT NULL DEFAULT 0;

ALTER TABLE candidate ADD COLUMN weights TEXT;

ALTER TABLE search ADD COLUMN tokens_cached INTEGER NOT NULL DEFAULT 0;

ALTER TABLE search ADD COLUMN cost REAL NOT NULL DEFAULT 0;

DROP VIEW candidate_view;

CREATE VIEW candidate_view AS
SELECT
  c.id AS id,
  p.iteration AS iteration,
  p.task AS task,
  c.id & 16777215 AS number,
  p.operator AS operator,
  p.number AS pull,
  p.island AS island,
  p.parent AS parent,
  p.created AS created,
  c.program AS program,
  g.length AS length,
  c.outcome AS outcome,
  c.accuracy AS accuracy,
  c.filter AS filter,
  o.runs AS runs,
  o.pattern AS pattern,
  t.right = (1 << k.tests) - 1 AS right,
  c.prior AS prior,
  c.finish AS finish,
  c.tokens_in AS tokens_in,
  c.tokens_out AS tokens_out,
  c.tokens_cached AS tokens_cached,
  c.cost AS cost,
  c.weights AS weights
FROM candidate AS c
JOIN pull AS p ON p.id = c.pull
JOIN task AS k ON k.idx = p.task
LEFT JOIN program AS g ON g.id = c.program
LEFT JOIN outcome AS o ON o.id = c.outcome
LEFT JOIN pattern AS t ON t.id = o.pattern
"""

_LIVE_1 = """
CREATE TABLE status (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated REAL NOT NULL
) STRICT, WITHOUT ROWID
"""

_CONTROL_1 = """
CREATE TABLE command (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'accepted', 'done', 'rejected')),
  reply TEXT,
  sent REAL NOT NULL,
  answered REAL
) STRICT;

CREATE INDEX command_state ON command (state, id)
"""

ARCHIVE = Schema("archive.db", (_ARCHIVE_1, _ARCHIVE_2))
LIVE = Schema("live.db", (_LIVE_1,))
CONTROL = Schema("control.db", (_CONTROL_1,))
