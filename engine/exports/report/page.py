"""The report: written as it is made, section by section, so that its size is no concern of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.analysis import (
    Comparison,
    NamedSettings,
    PoolError,
    ReadRun,
    RunRecords,
    compare_runs,
    members_of,
    pool,
    read_records,
    run_analysis,
    scaling,
    setting_changes,
)
from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.figures import section, sections
from engine.exports.report.overview import heading, metrics
from engine.exports.report.tasks import searched_tasks, task_section, wall
from engine.exports.text import markup
from engine.figures.comparison import (
    SETTINGS_OF_RUNS,
    SETTINGS_ONLY,
    changed_settings,
    model_sizes,
    pooled,
    result_figures,
)
from engine.figures.figure import Figure
from engine.figures.run import run_figures

STYLE = Path(__file__).with_name("style.css")
SETTINGS_OF_RUNS_AND_FILES = (
    "Settings that are not the same in all runs and settings files; what a file leaves out has its "
    "default."
)

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """A run that a report is of; `iteration` is what it is compared by (None: the latest with votes)."""

    name: str
    reader: RunReader
    settings: Settings
    iteration: int | None = None


def write_report(
    runs: Sequence[Reported],
    file: BinaryIO,
    on_progress: Callable[[int, int], None],
    files: Sequence[NamedSettings] = (),
) -> int:
    """Write runs as one HTML page and return how many tasks are in it.

    Several are compared with each other, by their settings with `files` too; the first is told in
    full, task by task. `on_progress` hears how many of all steps are done. Raises ArchiveError, and
    ComparisonError before anything is written when there is nothing to compare.
    """
    first = runs[0]
    tasks = searched_tasks(first.reader)
    steps = _Steps(runs, len(tasks), on_progress)
    read: list[ReadRun] = []
    for run in runs:
        records = RunRecords()
        for _ in read_records(run.reader, run.settings, records):
            steps.at(steps.before + len(records.held))
        steps.before += len(records.held)
        analysis = run_analysis(run.name, run.reader, run.settings, records)
        read.append(ReadRun(run.name, run.settings, run.reader, records, analysis, run.iteration))
    places = {one.task.id: one.index for one in tasks}
    title, beside = _beside(read, files, places)
    different = {one.name: one for one in read}
    figures = _pooled(read, steps)
    if len(different) > 1:
        figures.append(model_sizes(scaling(list(different.values()))))
    together = sections(figures, places)
    for part in (
        _HEAD.format(title=markup(title), style=STYLE.read_text(encoding="utf-8")),
        beside + together if len(read) > 1 else beside,
        heading(first.name, first.reader, first.settings),
        sections(run_figures(read[0].analysis, first.iteration), places),
        metrics(first.reader),
        "" if len(read) > 1 else together,
        wall(tasks),
    ):
        file.write(part.encode())
    for done, one in enumerate(tasks, 1):
        file.write(task_section(first.reader, one).encode())
        steps.at(steps.whole - len(tasks) + done)
    settings_text = markup(first.reader.settings_text, lines=True)
    file.write(f"<h2>Settings</h2><pre>{settings_text}</pre></body></html>\n".encode())
    return len(tasks)


def _beside(
    read: Sequence[ReadRun], files: Sequence[NamedSettings], places: Mapping[str, int]
) -> tuple[str, str]:
    """Return the page's title, and what stands ahead of the first run: all of them side by side."""
    sides = [*(NamedSettings(one.name, one.settings) for one in read), *files]
    names = [side.name for side in sides]
    changes = setting_changes([side.settings for side in sides])
    if len(read) > 1:
        found = compare_runs(read)
        title = " · ".join(side.label for side in found.sides)
        results = _results(found, places)
        about = SETTINGS_OF_RUNS_AND_FILES if files else SETTINGS_OF_RUNS
    elif files:
        title, results, about = " · ".join(names), "", SETTINGS_ONLY
    else:
        return names[0], ""
    settings = section(changed_settings(names, changes, about), places)
    return title, f"<h1>{markup(title)}</h1>{results}{settings}"


def _results(found: Comparison, places: Mapping[str, int]) -> str:
    """Return what compared runs solve; the tasks on which they do not differ are folded away."""
    *others, tasks = result_figures(found)
    differ = sum(len(set(one.solved)) > 1 for one in found.tasks)
    return sections(others, places) + section(
        tasks, places, ahead=differ, rest="tasks that all of them solve, or none"
    )


class _Steps:
    """How far a report is: searches to read, tasks to vote on together, tasks to write."""

    def __init__(
        self, runs: Sequence[Reported], tasks: int, on_progress: Callable[[int, int], None]
    ) -> None:
        voted = [
            row.iteration
            for run in runs
            for row in run.reader.searches()
            if row.finished is not None
        ]
        self.before, self.tasks = 0, tasks
        self.pooling = tasks if len(runs) > 1 or len(set(voted)) > 1 else 0
        self.whole = len(voted) + self.pooling + tasks
        self._on_progress = on_progress

    def at(self, done: int) -> None:
        """Tell how many steps are done; a search voted on meanwhile is none."""
        self._on_progress(min(done, self.whole), self.whole)


def _pooled(read: Sequence[ReadRun], steps: _Steps) -> list[Figure]:
    """Return the vote over all runs together, of one over its iterations; nothing if there is none."""
    members = members_of(read)
    if len(members) < 2:
        return []
    found = None
    try:
        for done, whole, last in pool(members, read[0].settings.vote):
            steps.at(steps.before + steps.pooling * done // whole)
            found = last
    except PoolError:
        return []
    return [] if found is None else [pooled(found)]
