"""What one unit of the engine's work becomes in the tables, inside the transaction under way.

A pull comes with its candidates, the programs, outcomes and patterns not seen before, and the
counters of its task's search, so whoever reads sees all of it or nothing.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.arc import Task, pack
from engine.archive.packing import (
    Compressor,
    Decompressor,
    PackingError,
    digest,
    pack_bits,
    pack_grids,
    pack_results,
    pack_text,
    train_dictionary,
    unpack_results,
)
from engine.archive.rows import Checkpoint, Example
from engine.archive.schema import ArchiveError
from engine.programs.candidate import Candidate, Evaluation, Pull, split_candidate_id

_KNOWN_LIMIT: Final = 100_000
_TRAIN_AT: Final = 1_000
_TRAIN_ON: Final = 2_000


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task as its row holds it; equal exactly when the tasks are."""

    id: str
    pairs: int
    tests: int
    train: bytes
    test: bytes
    truth: tuple[bytes, ...] | None


def stored_task(task: Task) -> StoredTask:
    """Return a task as it is stored."""
    sides = [grid for pair in task.train for grid in (pair.input, pair.output)]
    return StoredTask(
        task.id,
        len(task.train),
        len(task.test),
        pack_grids(sides),
        pack_grids(task.test),
        None if task.truth is None else tuple(pack(grid) for grid in task.truth),
    )


def check_pull(pull: Pull, candidates: Sequence[Candidate], task: StoredTask) -> None:
    """Raise ArchiveError when a pull and its candidates contradict each other or the task."""
    place = f"iteration {pull.iteration}, task {task.id}, pull {pull.number}"
    if not 0 <= pull.seed < 1 << 63:
        raise ArchiveError(f"{place}: seed {pull.seed} does not fit 63 bits")
    if pull.draw is not None and math.isnan(pull.draw):
        raise ArchiveError(f"{place}: its draw is not a number")
    said = (pull.operator, pull.number, pull.island, pull.parent)
    for slot, candidate in enumerate(candidates):
        here = (pull.iteration, pull.task, (candidates[0].id & 0xFFFFFF) + slot)
        if split_candidate_id(candidate.id) != here:
            raise ArchiveError(f"{place}: candidate {candidate.id} is out of its place {here}")
        if (candidate.operator, candidate.pull, candidate.island, candidate.parent) != said:
            raise ArchiveError(f"{place}: candidate {candidate.id} says it is of another pull")
        if candidate.prior is not None and math.isnan(candidate.prior):
            raise ArchiveError(f"{place}: candidate {candidate.id} has a prior that is no number")
        evaluation = candidate.evaluation
        if evaluation is not None and (
            len(evaluation.right) != task.pairs
            or len(evaluation.results) != task.pairs + task.tests
        ):
            raise ArchiveError(
                f"{place}: candidate {candidate.id} has {len(evaluation.results)} results and "
                f"{len(evaluation.right)} marks; the task has {task.pairs} pairs and "
                f"{task.tests} test inputs"
            )


class Recorder:
    """Turns units into rows; remembers which programs and outcomes are stored already.

    Its methods run inside a transaction that the caller begins and ends, in one thread. When that
    transaction is rolled back the recorder must not be used again.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection
        self._compressor = Compressor()
        self._programs: dict[bytes, int] = {}
        self._outcomes: dict[bytes, tuple[int, bool]] = {}
        self._truths: dict[int, tuple[bytes, ...] | None] = {}
        self._next_program = self._next("program")
        self._next_outcome = self._next("outcome")
        self._next_pattern = self._next("pattern")
        newest = connection.execute("SELECT data FROM dictionary").fetchone()
        if newest is not None:
            self._compressor.use_dictionary(newest[0])
        self._train_at = max(_TRAIN_AT, self._next_program)
        self.stored_tasks = self._load_tasks()
        self.iterations: dict[int, str] = dict(
            connection.execute("SELECT idx, phase FROM iteration").fetchall()
        )

    def _next(self, table: str) -> int:
        query = f"SELECT ifnull(max(id), 0) + 1 FROM {table}"  # noqa: S608 - our own table's name
        number: int = self._sql.execute(query).fetchone()[0]
        return number

    def _load_tasks(self) -> tuple[StoredTask, ...]:
        expand = Decompressor(_no_dictionary)
        query = "SELECT idx, id, pairs, tests, train, test, truth FROM task ORDER BY idx"
        found = []
        for idx, name, pairs, tests, train, test, truth in self._sql.execute(query):
            truths = None if truth is None else _grids(expand(truth))
            self._truths[idx] = truths
            found.append(StoredTask(name, pairs, tests, expand(train), expand(test), truths))
        return tuple(found)

    def add_tasks(self, tasks: Sequence[StoredTask]) -> None:
        """Insert the run's tasks; an index is a position."""
        blob = self._compressor.blob
        for idx, task in enumerate(tasks):
            self._truths[idx] = task.truth
            truth = None if task.truth is None else blob(b"".join(task.truth))
            self._sql.execute(
                "INSERT INTO task VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?)",
                (
                    idx,
                    pack_text(task.id),
                    task.pairs,
                    task.tests,
                    blob(task.train),
                    blob(task.test),
                    truth,
                ),
            )

    def begin_iteration(
        self, index: int, phase: str, policy: str, checkpoint: str, now: float
    ) -> None:
        """Insert an iteration, unless it was begun before."""
        self._sql.execute(
            "INSERT INTO iteration VALUES (?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, NULL, NULL) "
            "ON CONFLICT DO NOTHING",
            (index, phase, pack_text(policy), pack_text(checkpoint), now),
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
            "INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?)",
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
                )
                for candidate, (program, outcome, _) in zip(candidates, stored, strict=True)
            ],
        )
        replies = [
            (candidate.id, self._compressor.blob(pack_text(candidate.reply)))
            for candidate in candidates
            if candidate.reply is not None
        ]
        if replies:
            self._sql.executemany("INSERT INTO reply VALUES (?, ?)", replies)
        self._train_dictionary()

    def _candidate(self, task: int, candidate: Candidate) -> tuple[int | None, int | None, bool]:
        """Return its program's id, its outcome's id and whether it is known to be right."""
        program = None if candidate.source is None else self._program(candidate.source)
        if candidate.evaluation is None:
            return program, None, False
        return program, *self._outcome(task, candidate.evaluation)

    def _program(self, source: str) -> int:
        text = pack_text(source)
        key = digest(text)
        known = self._programs.get(key)
        if known is not None:
            return known
        row = self._sql.execute("SELECT id FROM program WHERE hash = ?", (key,)).fetchone()
        if row is None:
            identifier = self._next_program
            self._next_program += 1
            self._sql.execute(
                "INSERT INTO program VALUES (?, ?, ?, ?)",
                (identifier, key, len(source), self._compressor.source(text)),
            )
        else:
            identifier = row[0]
        if len(self._programs) >= _KNOWN_LIMIT:
            self._programs.clear()
        self._programs[key] = identifier
        return identifier

    def _outcome(self, task: int, evaluation: Evaluation) -> tuple[int, bool]:
        packed = pack_results(evaluation.results)
        right = pack_bits(evaluation.right)
        key = digest(right.to_bytes(8, "little") + packed)
        place = task.to_bytes(4, "little") + key
        known = self._outcomes.get(place)
        if known is not None:
            return known
        row = self._sql.execute(
            "SELECT o.id, ifnull(t.right = (1 << k.tests) - 1, 0) FROM outcome AS o "
            "JOIN task AS k ON k.idx = o.task LEFT JOIN pattern AS t ON t.id = o.pattern "
            "WHERE o.task = ? AND o.digest = ?",
            (task, key),
        ).fetchone()
        if row is None:
            pattern, solved = None, False
            outputs = evaluation.results[len(evaluation.right) :]
            if evaluation.pattern is not None:
                grids = tuple(output for output in outputs if isinstance(output, bytes))
                pattern, solved = self._pattern(task, grids)
            found = (self._next_outcome, solved)
            self._next_outcome += 1
            self._sql.execute(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    found[0],
                    task,
                    key,
                    self._compressor.blob(packed),
                    right,
                    evaluation.runs,
                    pattern,
                ),
            )
        else:
            found = (row[0], bool(row[1]))
        if len(self._outcomes) >= _KNOWN_LIMIT:
            self._outcomes.clear()
        self._outcomes[place] = found
        return found

    def _pattern(self, task: int, outputs: tuple[bytes, ...]) -> tuple[int, bool]:
        """Return the id of a task's pattern, stored if new, and whether it is known to be right."""
        truth = self._truths[task]
        marks = None
        if truth is not None:
            marks = [output == true for output, true in zip(outputs, truth, strict=True)]
        joined = b"".join(outputs)
        key = digest(joined)
        row = self._sql.execute(
            "SELECT id FROM pattern WHERE task = ? AND digest = ?", (task, key)
        ).fetchone()
        if row is not None:
            return row[0], marks is not None and all(marks)
        identifier = self._next_pattern
        self._next_pattern += 1
        self._sql.execute(
            "INSERT INTO pattern VALUES (?, ?, ?, ?, ?)",
            (
                identifier,
                task,
                key,
                self._compressor.blob(joined),
                None if marks is None else pack_bits(marks),
            ),
        )
        return identifier, marks is not None and all(marks)

    def _count(self, pull: Pull, candidates: Sequence[Candidate], right: int, now: float) -> None:
        evaluations = [c.evaluation for c in candidates if c.evaluation is not None]
        unfiltered = [e.accuracy for e in evaluations if e.filter is None]
        self._sql.execute(
            "INSERT INTO search (iteration, task, pulls, candidates, programs, errors, filtered, "
            "perfect, right, best, tokens_in, tokens_out, active) "
            "VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET pulls = pulls + 1, "
            "candidates = candidates + excluded.candidates, "
            "programs = programs + excluded.programs, errors = errors + excluded.errors, "
            "filtered = filtered + excluded.filtered, perfect = perfect + excluded.perfect, "
            "right = right + excluded.right, "
            "best = max(ifnull(best, excluded.best), ifnull(excluded.best, best)), "
            "tokens_in = tokens_in + excluded.tokens_in, "
            "tokens_out = tokens_out + excluded.tokens_out, active = excluded.active",
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
                now,
            ),
        )

    def _train_dictionary(self) -> None:
        """Once there are enough programs, learn what they share; later ones are stored with it."""
        if self._compressor.has_dictionary or self._next_program <= self._train_at:
            return
        # Where training fails (programs too short to share anything) try again at twice as many.
        self._train_at = 2 * self._next_program
        expand = Decompressor(_no_dictionary)
        rows = self._sql.execute("SELECT source FROM program ORDER BY id LIMIT ?", (_TRAIN_ON,))
        trained = train_dictionary([expand(source) for (source,) in rows])
        if trained is not None:
            self._sql.execute("INSERT INTO dictionary VALUES (?, ?)", trained)
            self._compressor.use_dictionary(trained[1])

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
                (iteration, task, rank, self._pattern(task, outputs)[0], weight, count)
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
        """Insert what was chosen to learn from, and what was rejected and why."""
        self._sql.executemany(
            "INSERT INTO example (iteration, kind, label, run, candidate, parent, weight, "
            "rejected) VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?)",
            [
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
            ],
        )


def split_pattern(pattern: bytes, tests: int) -> tuple[bytes, ...]:
    """Return a pattern's packed outputs, one per test input. Raises ArchiveError otherwise."""
    try:
        outputs = _grids(pattern)
    except PackingError as error:
        raise ArchiveError(f"a pattern that is no joined grids: {error}") from error
    if len(outputs) != tests:
        raise ArchiveError(f"a pattern of {len(outputs)} outputs for {tests} test inputs")
    return outputs


def _grids(data: bytes) -> tuple[bytes, ...]:
    return tuple(result for result in unpack_results(data) if isinstance(result, bytes))


def _no_dictionary(_: int) -> bytes:
    raise LookupError("compressed with a dictionary")
