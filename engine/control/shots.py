"""Choosing what a language model is shown first: a skill or a solved task (SOAR §3, §7)."""

from __future__ import annotations

import time
from pathlib import Path

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.learning.skills import Library, choose_skill, latest_skills
from engine.policies.llm.prompts import Solved
from engine.programs.candidate import Operator

REFRESH_SECONDS = 30.0
"""How old what is known of the archive may be: a wave of samples takes as long."""


def skill_shown(known: Library, task: Task, operator: Operator, seed: int) -> Solved | None:
    """Return the skill of a library that a call is shown, None when it has none of another task."""
    skill = choose_skill(known, task, operator, seed)
    return (
        None if skill is None else Solved(skill.example.task.without_truth(), skill.example.source)
    )


class Shots:
    """A run's few-shot examples, to choose one from by a call's task, operator and seed.

    Of the latest skill library, where learning has made one: a program of one of the tasks most
    like the one at hand. Before that, to sample, a task solved in the present iteration, by its
    shortest program; solved is right on every demonstration and not filtered, for the truth of test
    inputs is not asked.
    """

    def __init__(self, reader: RunReader, folder: Path) -> None:
        self._reader = reader
        self._checkpoints = folder / "checkpoints"
        self._library: Library | None = None
        self._solved: tuple[tuple[int, int], ...] = ()
        self._programs: dict[tuple[int, int], Solved] = {}
        self._read: float | None = None

    @property
    def skills(self) -> int:
        """How many skills the latest library has; 0 where there is none."""
        self._look()
        return 0 if self._library is None else len(self._library.skills)

    def __call__(self, task: Task, operator: Operator, seed: int) -> Solved | None:
        """Return what to show first for a task other than itself, None while there is nothing."""
        self._look()
        if self._library is not None:
            shown = skill_shown(self._library, task, operator, seed)
            if shown is not None:
                return shown
        if operator == "refine":
            return None
        tasks = self._reader.tasks()
        others = [place for place in self._solved if tasks[place[1]].id != task.id]
        return self._shortest(*others[seed % len(others)]) if others else None

    def look_again(self) -> None:
        """Look at the run anew at the next call: something was learned."""
        self._read = None
        self._library = None

    def _look(self) -> None:
        now = time.monotonic()
        if self._read is not None and now - self._read < REFRESH_SECONDS:
            return
        self._read = now
        iterations = [row.index for row in self._reader.iterations()]
        if self._library is None:
            self._library = latest_skills(self._checkpoints, iterations)
        self._solved = ()
        if self._library is None and iterations:
            rows = self._reader.task_rows(iterations[-1])
            self._solved = tuple((iterations[-1], row.index) for row in rows if row.perfect)

    def _shortest(self, iteration: int, task: int) -> Solved:
        known = self._programs.get((iteration, task))
        if known is not None:
            return known
        found, after = [], None
        while True:
            query = CandidateQuery(iteration=iteration, task=task, perfect=True)
            page = self._reader.candidates(query, after=after)
            found += [(row.length or 0, row.id) for row in page.rows]
            after = page.next
            if after is None:
                break
        source = self._reader.candidate(min(found)[1]).candidate.source
        assert source is not None  # it was right
        shown = Solved(self._reader.tasks()[task].without_truth(), source)
        self._programs[iteration, task] = shown
        return shown
