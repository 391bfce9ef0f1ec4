"""What one unit of the engine's work becomes in the tables, inside the transaction under way.

A pull comes with its candidates, the programs, outcomes and patterns not seen before, and the
counters of its task's search, so whoever reads sees all of it or nothing.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from engine.archive.contents import Contents, no_dictionary
from engine.archive.packing import Decompressor, pack_reply, pack_text, packed_grids
from engine.archive.rows import Checkpoint, Example
from engine.archive.units import StoredTask
from engine.programs.candidate import Candidate, Pull


class Recorder:
    """Turns units into rows.

    `tasks` and `iterations` (index to phase) are what the archive held when it was opened.
    Its methods run inside a transaction that the caller begins and ends, in one thread. When that
    transaction is rolled back the recorder must not be used again.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection
        self._contents = Contents(connection)
        self._blob = self._contents.compressor.blob
        self._reply = self._contents.compressor.source  # mostly code, what its prose is about too
        self.tasks = self._load_tasks()
        self.iterations: dict[int, str] = dict(
            connection.execute("SELECT idx, phase FROM iteration").fetchall()
        )

    @property
    def hurried(self) -> bool:
        """Whether it rather stores fast than small, since much is waiting."""
        return self._contents.compressor.hurried

    @hurried.setter
    def hurried(self, hurried: bool) -> None:
        self._contents.compressor.hurried = hurried

    def _load_tasks(self) -> tuple[StoredTask, ...]:
        expand = Decompressor(no_dictionary)
        query = "SELECT idx, id, pairs, tests, train, test, truth FROM task ORDER BY idx"
        found = []
        for idx, name, pairs, tests, train, test, truth in self._sql.execute(query):
            truths = None if truth is None else packed_grids(expand(truth))
            self._contents.truths[idx] = truths
            found.append(StoredTask(name, pairs, tests, expand(train), expand(test), truths))
        return tuple(found)

    def add_tasks(self, tasks: Sequence[StoredTask], training: int) -> None:
        """Insert the run's tasks, the first `training` to learn from; an index is a position."""
        self._sql.execute("INSERT INTO meta VALUES ('training_tasks', ?)", (str(training),))
        for idx, task in enumerate(tasks):
            self._contents.truths[idx] = task.truth
            truth = None if task.truth is None else self._blob(b"".join(task.truth))
            self._sql.execute(
                "INSERT INTO task VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?)",
                (
                    idx,
                    pack_text(task.id),
                    task.pairs,
                    task.tests,
                    self._blob(task.train),
                    self._blob(task.test),
                    truth,
                ),
            )

    def begin_iteration(
        self, *, index: int, phase: str, policy: str, checkpoint: str, tasks: range, now: float
    ) -> None:
        """Insert an iteration, unless it was begun before."""
        self._sql.execute(
            "INSERT INTO iteration "
            "VALUES (?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, NULL, NULL) "
            "ON CONFLICT DO NOTHING",
            (
                index,
                phase,
                pack_text(policy),
                pack_text(checkpoint),
                tasks.start,
                len(tasks),
                now,
            ),
        )

    def end_iteration(self, index: int, seconds: float, now: float) -> None:
        """Note that an iteration is over and how long it took."""
        self._sql.execute(
            "UPDATE iteration SET ended = ?, seconds = ? WHERE idx = ?", (now, seconds, index)
        )

    def add_pull(self, pull: Pull, candidates: Sequence[Candidate], now: float) -> None:
        """Insert a pull, its candidates and all they refer to, and count them."""
        stored = [self._candidate(pull.task, candidate) for candidate in candidates]
        self._count(pull, candidates, sum(right for _, _, right in stored), now)
        row = self._sql.execute(
            "INSERT INTO pull (iteration, task, number, operator, island, parent, draw, seed, "
            "created, seconds, first, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                pull.iteration,
                pull.task,
                pull.number,
                pull.operator,
                pull.island,
                pull.parent,
                pull.draw,
                pull.seed,
                pull.created,
                pull.seconds,
                candidates[0].id if candidates else -1,
                len(candidates),
            ),
        )
        self._sql.executemany(
            "INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, "
            "CAST(? AS TEXT))",
            [
                (
                    candidate.id,
                    row.lastrowid,
                    program,
                    outcome,
                    None if candidate.evaluation is None else candidate.evaluation.accuracy,
                    None if candidate.evaluation is None else candidate.evaluation.filter,
                    candidate.prior,
                    pack_text(candidate.finish),
                    candidate.tokens_in,
                    candidate.tokens_out,
                    candidate.tokens_cached,
                    candidate.cost,
                    None if candidate.weights is None else pack_text(candidate.weights),
                )
                for candidate, (program, outcome, _) in zip(candidates, stored, strict=True)
            ],
        )
        replies = [
            (candidate.id, self._reply(pack_reply(candidate.reply, candidate.source)))
            for candidate in candidates
            if candidate.reply is not None
        ]
        if replies:
            self._sql.executemany("INSERT INTO reply VALUES (?, ?)", replies)
        self._contents.learn_dictionary()

    def _candidate(self, task: int, candidate: Candidate) -> tuple[int | None, int | None, bool]:
        """Return its program's id, its outcome's id and whether it is known to be right."""
        program = None if candidate.source is None else self._contents.program(candidate.source)
        if candidate.evaluation is None:
            return program, None, False
        return program, *self._contents.outcome(task, candidate.evaluation)

    def _count(self, pull: Pull, candidates: Sequence[Candidate], right: int, now: float) -> None:
        evaluations = [c.evaluation for c in candidates if c.evaluation is not None]
        unfiltered = [e.accuracy for e in evaluations if e.filter is None]
        self._sql.execute(
            "INSERT INTO search (iteration, task, pulls, candidates, programs, errors, filtered, "
            "perfect, right, best, tokens_in, tokens_out, tokens_cached, cost, active) "
            "VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET pulls = pulls + 1, "
            "candidates = candidates + excluded.candidates, "
            "programs = programs + excluded.programs, errors = errors + excluded.errors, "
            "filtered = filtered + excluded.filtered, perfect = perfect + excluded.perfect, "
            "right = right + excluded.right, "
            "best = max(ifnull(best, excluded.best), ifnull(excluded.best, best)), "
            "tokens_in = tokens_in + excluded.tokens_in, "
            "tokens_out = tokens_out + excluded.tokens_out, "
            "tokens_cached = tokens_cached + excluded.tokens_cached, "
            "cost = cost + excluded.cost, active = excluded.active",
            (
                pull.iteration,
                pull.task,
                len(candidates),
                sum(c.source is not None for c in candidates),
                sum(not e.runs for e in evaluations),
                sum(e.filter is not None for e in evaluations),
                sum(e.perfect for e in evaluations),
                right,
                max(unfiltered, default=None),
                sum(c.tokens_in for c in candidates),
                sum(c.tokens_out for c in candidates),
                sum(c.tokens_cached for c in candidates),
                math.fsum(c.cost for c in candidates),
                now,
            ),
        )

    def add_vote(
        self,
        iteration: int,
        task: int,
        *,
        formula: str,
        ranked: Sequence[tuple[tuple[bytes, ...], float, int]],
        seconds: float,
        now: float,
    ) -> None:
        """Insert a task's vote, heaviest first, and mark its search as finished."""
        self._sql.execute(
            "INSERT INTO search (iteration, task, active, finished, seconds, formula) "
            "VALUES (?1, ?2, ?3, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET active = ?3, "
            "finished = ?3, seconds = ?4, formula = ?5",
            (iteration, task, now, seconds, formula),
        )
        self._sql.executemany(
            "INSERT INTO vote VALUES (?, ?, ?, ?, ?, ?)",
            [
                (iteration, task, rank, self._contents.pattern(task, outputs)[0], weight, count)
                for rank, (outputs, weight, count) in enumerate(ranked, 1)
            ],
        )

    def add_event(self, level: str, kind: str, text: str, now: float) -> None:
        """Insert one line of the run's journal."""
        self._sql.execute(
            "INSERT INTO event (time, level, kind, text) VALUES (?, ?, ?, CAST(? AS TEXT))",
            (now, level, kind, pack_text(text)),
        )

    def add_metric(self, name: str, step: int, value: float) -> None:
        """Insert one point of a curve; a value that is no number is stored as NULL."""
        self._sql.execute(
            "INSERT INTO metric (name, step, value) VALUES (?, ?, ?)", (name, step, value)
        )

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Insert what an iteration's learning produced."""
        self._sql.execute(
            "INSERT INTO checkpoint (iteration, path, policy, base, examples, seconds, created) "
            "VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?)",
            (
                checkpoint.iteration,
                pack_text(checkpoint.path),
                pack_text(checkpoint.policy),
                pack_text(checkpoint.base),
                checkpoint.examples,
                checkpoint.seconds,
                checkpoint.created,
            ),
        )

    def add_examples(self, examples: Sequence[Example]) -> None:
        """Insert what was chosen to learn from, and what was rejected and why.

        An iteration's count once its checkpoint is there.
        """
        self._sql.executemany(
            "INSERT INTO example (iteration, kind, label, run, candidate, parent, weight, "
            "rejected) VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?)",
            (
                (
                    example.iteration,
                    example.kind,
                    example.label,
                    None if example.run is None else pack_text(example.run),
                    example.candidate,
                    example.parent,
                    example.weight,
                    example.rejected,
                )
                for example in examples
            ),
        )

    def drop_examples(self, iteration: int, most: int) -> None:
        """Delete at most so many examples of an iteration whose learning was cut off."""
        self._sql.execute(
            "DELETE FROM example WHERE id IN (SELECT id FROM example WHERE iteration = ? "
            "AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE iteration = ?) LIMIT ?)",
            (iteration, iteration, most),
        )
