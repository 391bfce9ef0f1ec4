"""What the places about one task share: which task and iteration, and stepping through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from engine.arc import Task
from engine.archive.rows import CandidateDetail, TaskRow
from engine.figures.numbers import count, percent
from soar_tui.sanitise import one_line
from soar_tui.screens.place import Place
from soar_tui.screens.put import put

if TYPE_CHECKING:
    from soar_tui.open_run import OpenRun


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The task that is looked at, in the iteration that is looked at, and how its search stands."""

    index: int
    tasks: int
    task: Task
    iteration: int
    iterations: int
    row: TaskRow
    samples: int
    refinements: int


def subject_of(run: OpenRun, iteration: int | None, task: int) -> Subject | None:
    """Read it; `iteration` None is the latest one. None before the first iteration.

    A task the iteration does not search is shown as of the latest that does, and one that none
    searches gives way to the nearest that the iteration does search.
    """
    rows = run.iterations()
    if not rows:
        return None
    tasks = run.reader.tasks()
    chosen = rows[-1].index if iteration is None else min(iteration, rows[-1].index)
    searched = run.task_range(rows[chosen])
    if task not in searched:
        others = [row for row in rows if task in run.task_range(row)]
        chosen = others[-1].index if others else chosen
        searched = run.task_range(rows[chosen])
    index = min(max(task, searched.start), searched.stop - 1)
    search = run.settings.search_at(chosen)
    return Subject(
        index=index,
        tasks=len(tasks),
        task=tasks[index],
        iteration=chosen,
        iterations=rows[-1].index + 1,
        row=task_rows(run, chosen)[index - searched.start],
        samples=search.samples,
        refinements=search.refinements,
    )


def detail_of(run: OpenRun, candidate: int | None) -> CandidateDetail | None:
    """Return a candidate whole; None when it is not there, as in a run made anew in its folder."""
    if candidate is None or run.reader.bare_candidate(candidate) is None:
        return None
    return run.reader.candidate(candidate)


def task_rows(run: OpenRun, iteration: int) -> list[TaskRow]:
    """Return how the tasks of an iteration stand; read once per version of the archive."""
    version = (run.reader.data_version, iteration)
    return run.keep("task rows", version, lambda: run.reader.task_rows(iteration))


def subject_line(subject: Subject) -> Text:
    """Return the line on top of a place about one task."""
    row = subject.row
    text = Text(overflow="ellipsis")
    text.append(one_line(subject.task.id), style="bold")
    text.append(f"  task {subject.index + 1} of {subject.tasks}")
    text.append(f" · iteration {subject.iteration + 1} of {subject.iterations}")
    text.append(f" · {standing(row)}")
    text.append(
        f" · {count(row.candidates)} of {count(subject.samples + subject.refinements)} programs"
    )
    if row.best is not None:
        text.append(f" · {count(row.perfect)} fit, best {percent(row.best)}")
    if row.errors:
        text.append(f" · {count(row.errors)} failed")
    return text


def standing(row: TaskRow) -> str:
    """Return in words how a task's search stands."""
    if row.state != "finished":
        return row.state
    if row.vote_right is None:
        return "voted, truth unknown"
    if row.vote_right:
        return "solved"
    return "missed by the vote" if row.oracle else "not solved"


class TaskPlace(Place):
    """A place about one task of the run."""

    def __init__(self) -> None:
        super().__init__()
        self.subject: Subject | None = None

    def show_subject(self, subject: Subject) -> None:
        """Show which task this is about."""
        self.subject = subject
        put(self.query_one("#subject", Static), subject_line(subject))

    def why_not(self, key: str) -> str | None:
        subject = self.subject
        if key in ("next-task", "previous-task", "next-iteration", "previous-iteration"):
            if subject is None:
                return "no iteration is shown yet"
            if key == "next-task" and subject.index + 1 >= subject.tasks:
                return "this is the last task"
            if key == "previous-task" and subject.index == 0:
                return "this is the first task"
            if key == "next-iteration" and subject.iteration + 1 >= subject.iterations:
                return "this is the latest iteration"
            if key == "previous-iteration" and subject.iteration == 0:
                return "this is the first iteration"
        return None

    def do_next_task(self) -> None:
        """Look at the task after."""
        self._step(1, 0)

    def do_previous_task(self) -> None:
        """Look at the task before."""
        self._step(-1, 0)

    def do_next_iteration(self) -> None:
        """Look at the iteration after."""
        self._step(0, 1)

    def do_previous_iteration(self) -> None:
        """Look at the iteration before."""
        self._step(0, -1)

    def _step(self, tasks: int, iterations: int) -> None:
        subject = self.subject
        assert subject is not None
        iteration: int | None = subject.iteration + iterations
        if iteration == subject.iterations - 1:
            iteration = None  # the latest one, also when another one begins
        self.soar.look(
            task=subject.index + tasks,
            iteration=iteration if iterations else self.view.iteration,
            candidate=None,
            pattern=None,
            parent=None,
        )
