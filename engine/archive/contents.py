"""What is stored once however often it comes: programs, outcomes, patterns, and their dictionary.

A program's text is found again by its digest, an outcome and a pattern by theirs within the task.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from engine.archive.packing import (
    Compressor,
    Decompressor,
    digest,
    pack_bits,
    pack_results,
    pack_text,
    train_dictionary,
)
from engine.archive.reading import dictionary
from engine.programs.candidate import Evaluation

_KNOWN_LIMIT: Final = 100_000
_TRAIN_AT: Final = 1_000
_TRAIN_AGAIN: Final = 10
_TRAIN_ON: Final = 2_000
_SOURCE: Final = "SELECT source FROM program WHERE id = ?"


class Contents:
    """Finds or inserts what candidates refer to, inside the transaction under way.

    `truths` holds each task's packed test outputs by index, or None; patterns are marked against
    them. When a transaction is rolled back its Contents must not be used again.
    """

    def __init__(self, sql: sqlite3.Connection) -> None:
        self.compressor = Compressor()
        self.truths: dict[int, tuple[bytes, ...] | None] = {}
        self._sql = sql
        self._expand = Decompressor(lambda name: dictionary(sql, name))
        self._programs: dict[bytes, int] = {}
        self._outcomes: dict[bytes, tuple[int, bool]] = {}
        self._next_program = self._next("program")
        self._next_outcome = self._next("outcome")
        self._next_pattern = self._next("pattern")
        self._train_at = max(_TRAIN_AT, self._next_program)
        latest = sql.execute(
            "SELECT data FROM dictionary ORDER BY id = "
            "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dictionary') DESC"
        ).fetchone()
        if latest is not None:
            self.compressor.use_dictionary(latest[0])
            self._train_at = _TRAIN_AT
            while self._train_at < self._next_program:
                self._train_at *= _TRAIN_AGAIN

    def _next(self, table: str) -> int:
        query = f"SELECT ifnull(max(id), 0) + 1 FROM {table}"  # noqa: S608 - our own table's name
        number: int = self._sql.execute(query).fetchone()[0]
        return number

    def program(self, source: str) -> int:
        """Return the id of a program's text."""
        text = pack_text(source)
        key = digest(text)
        known = self._programs.get(key)
        if known is not None:
            return known
        identifier = self._next_program
        added = self._sql.execute(
            "INSERT INTO program VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
            (identifier, key, len(source), self.compressor.source(text)),
        )
        if added.rowcount:
            self._next_program += 1
        else:
            row = self._sql.execute("SELECT id FROM program WHERE hash = ?", (key,)).fetchone()
            identifier = row[0]
        if len(self._programs) >= _KNOWN_LIMIT:
            self._programs.clear()
        self._programs[key] = identifier
        return identifier

    def outcome(self, task: int, evaluation: Evaluation) -> tuple[int, bool]:
        """Return the id of a joint result on a task and whether it is known to be right."""
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
                pattern, solved = self.pattern(task, grids)
            found = (self._next_outcome, solved)
            self._next_outcome += 1
            self._sql.execute(
                "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    found[0],
                    task,
                    key,
                    self.compressor.blob(packed),
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

    def pattern(self, task: int, outputs: tuple[bytes, ...]) -> tuple[int, bool]:
        """Return the id of a task's pattern, stored if new, and whether it is known to be right."""
        truth = self.truths[task]
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
                self.compressor.blob(joined),
                None if marks is None else pack_bits(marks),
            ),
        )
        return identifier, marks is not None and all(marks)

    def learn_dictionary(self) -> None:
        """Learn what programs share once there are enough, and again at every tenfold of them.

        Programs from then on are stored with it; those before keep what they were stored with.
        """
        if self._next_program <= self._train_at:
            return
        # The first programs are of a few tasks only; later ones are of all of them.
        step = max(1, self._next_program // _TRAIN_ON)
        trained = train_dictionary([
            self._expand(row[0])
            for identifier in range(1, self._next_program, step)
            if (row := self._sql.execute(_SOURCE, (identifier,)).fetchone()) is not None
        ])  # fmt: skip
        if trained is None:  # programs too short to share anything
            self._train_at = 2 * self._next_program
            return
        self._train_at = _TRAIN_AGAIN * self._next_program
        self._sql.execute("INSERT INTO dictionary VALUES (?, ?)", trained)
        self._sql.execute(
            "INSERT INTO meta VALUES ('dictionary', ?1) ON CONFLICT DO UPDATE SET value = ?1",
            (str(trained[0]),),
        )
        self.compressor.use_dictionary(trained[1])


def no_dictionary(_: int) -> bytes:
    """Refuse to fetch a dictionary: for blobs that were stored without one."""
    raise LookupError("compressed with a dictionary")
