"""The second half of a report: the wall of tasks, and each task with its grids, vote and chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery, CandidateRow, TaskRow, VoteRow
from engine.exports.picture import Panel, describe, result_panel, results_of
from engine.exports.report.parts import figure, mark, pair
from engine.exports.text import markup
from engine.figures.numbers import duration, percent
from engine.programs.candidate import Candidate

PATTERNS = 6
SUBMITTED = 2
LINKS = 6
"""Candidates of a refinement chain that are drawn, the last ones."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A task with how its latest search stands (None: not searched) and all its iterations."""

    index: int
    task: Task
    row: TaskRow | None
    iteration: int
    marks: tuple[tuple[int, bool | None], ...]

    @property
    def state(self) -> str:
        """The style sheet's word for it: good, half (some candidate is right), bad or none."""
        if self.row is None or self.row.state != "finished" or self.row.oracle is None:
            return ""
        return "good" if self.row.vote_right else "half" if self.row.oracle else "bad"


def searched_tasks(reader: RunReader) -> list[Searched]:
    """Return every task of a run with its latest search."""
    latest: dict[int, tuple[int, TaskRow]] = {}
    marks: dict[int, list[tuple[int, bool | None]]] = {}
    for iteration in reader.iterations():
        for row in reader.task_rows(iteration.index):
            if row.candidates or row.state == "finished":
                latest[row.index] = (iteration.index, row)
                marks.setdefault(row.index, []).append((iteration.index, row.vote_right))
    return [
        Searched(
            index,
            task,
            latest[index][1] if index in latest else None,
            latest[index][0] if index in latest else 0,
            tuple(marks.get(index, ())),
        )
        for index, task in enumerate(reader.tasks())
    ]


def wall(tasks: Sequence[Searched]) -> str:
    """Return a tile per task, each leading to it."""
    words = {"good": "solved", "half": "some program is right", "bad": "unsolved", "": "not known"}
    tiles = "".join(
        f'<a class="{one.state}" href="#t{one.index}" '
        f'title="{markup(one.task.id)}: {words[one.state]}"></a>'
        for one in tasks
    )
    counts: Mapping[str, int] = {
        word: sum(one.state == state for one in tasks) for state, word in words.items()
    }
    legend = " · ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f'<h2>Tasks</h2><p class="soft">{legend}</p><div class="wall">{tiles}</div>'


def task_section(reader: RunReader, one: Searched) -> str:
    """Return a task's section: demonstrations, tests and submissions, vote, best program, chain."""
    parts = [
        # What a link leads to is inside, so that a browser opens the section to show it.
        f'<details class="task"><summary>{_summary(one)}</summary>',
        f'<h3 id="t{one.index}">Demonstrations</h3><div class="strip">',
        *(pair(given.input, given.output) for given in one.task.train),
        "</div>",
    ]
    result = reader.votes(one.iteration, one.index) if one.row is not None else None
    ranked = () if result is None else result.ranked
    parts += _tests(one.task, ranked)
    if result is not None and ranked:
        parts += _vote(ranked, result.formula)
    if one.row is not None:
        best = _best(reader, one)
        if best is not None:
            parts += _program(reader, one.task, best)
    return "".join([*parts, "</details>\n"])


def _summary(one: Searched) -> str:
    if one.row is None:
        return f'<b>{markup(one.task.id)}</b> <span class="soft">not searched</span>'
    row = one.row
    marks = " ".join(f"{mark(right)}" for _, right in one.marks)
    best = "–" if row.best is None else f"{row.best:.2f}"
    said = f"{row.candidates:,} candidates, {row.perfect:,} perfect, best accuracy {best}, "
    return (
        f'<b>{markup(one.task.id)}</b> {marks} <span class="soft">{said}'
        f"{duration(row.seconds)}</span>"
    )


def _tests(task: Task, ranked: Sequence[VoteRow]) -> Iterator[str]:
    for number, given in enumerate(task.test):
        truth = None if task.truth is None else task.truth[number]
        yield f'<h3>Test {number + 1}</h3><div class="strip">{pair(given, truth)}'
        for row in ranked[:SUBMITTED]:
            panel = result_panel(row.outputs[number], truth)
            caption = f"submission {row.rank}"
            if truth is not None:
                caption = f"{caption}: {panel.caption}"
            yield figure(Panel(caption, panel.grid, wrong=panel.wrong))
        yield "</div>"


def _vote(ranked: Sequence[VoteRow], formula: str) -> Iterator[str]:
    whole = sum(row.weight for row in ranked) or 1.0
    yield f'<h3>Vote <span class="soft">{markup(formula)}, patterns: {len(ranked):,}</span></h3>'
    yield '<div class="vote">'
    for row in ranked[:PATTERNS]:
        right = None if row.right is None else all(row.right)
        width = 100 * row.weight / max(whole, ranked[0].weight)
        yield (
            f"<span>{row.rank}. {mark(right)}</span>"
            f'<span class="bar{" good" if right else ""}" style="width:{width:.1f}%"></span>'
            f"<span>{markup(percent(row.weight / whole))}, {row.count:,} programs</span>"
        )
    yield "</div>"


def _best(reader: RunReader, one: Searched) -> CandidateRow | None:
    """Return the program to show: right if there is one, else the most accurate, then the shortest."""
    found: list[CandidateRow] = []
    for query in (
        CandidateQuery(iteration=one.iteration, task=one.index, filter="", right=True),
        CandidateQuery(iteration=one.iteration, task=one.index, filter="", program=True),
        CandidateQuery(iteration=one.iteration, task=one.index, program=True),
    ):
        after: int | None = None
        while True:
            page = reader.candidates(query, after=after)
            found += page.rows
            after = page.next
            if after is None:
                break
        if found:
            break
    return min(found, key=lambda c: (-(c.accuracy or 0.0), c.length or 0, c.id), default=None)


def _program(reader: RunReader, task: Task, best: CandidateRow) -> Iterator[str]:
    chain = [reader.candidate(row.id).candidate for row in reader.chain(best.id)]
    shown = chain[-1]
    yield f'<h3>Best program <span class="soft">{markup(describe(shown))}</span></h3>'
    if len(chain) > 1:
        yield f'<p class="soft">Refinement chain of {len(chain)}, last {min(len(chain), LINKS)}:</p>'
    for candidate in chain[-LINKS:] if len(chain) > 1 or not _right(shown) else ():
        yield f'<p>{markup(describe(candidate))}</p><div class="strip">'
        yield "".join(map(figure, _outputs(task, candidate)))
        yield "</div>"
    yield f"<pre>{markup(shown.source or '', lines=True)}</pre>"


def _right(candidate: Candidate) -> bool:
    return candidate.evaluation is not None and all(candidate.evaluation.right)


def _outputs(task: Task, candidate: Candidate) -> list[Panel]:
    expected = [given.output for given in task.train]
    results = results_of(task, candidate)[: len(expected)]
    return [result_panel(*both) for both in zip(results, expected, strict=True)]
