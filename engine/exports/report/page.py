"""The report: written as it is made, section by section, so that its size is no concern of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.analysis import (
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
)
from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.comparison import changed_settings, comparison
from engine.exports.report.overview import figures, heading
from engine.exports.report.tasks import searched_tasks, task_section, wall
from engine.exports.report.together import model_sizes, pooled
from engine.exports.text import markup

STYLE = Path(__file__).with_name("style.css")
RUNS = "Settings of the runs that are not the same in all of them."
RUNS_AND_FILES = (
    "Settings that are not the same in all runs and settings files; what a file leaves out has its "
    "default."
)
SETTINGS_ONLY = (
    "There is a settings file among them, so only settings are compared; what a file leaves out has "
    "its default."
)
"""Of one run and settings files, in the words of `soar-tui compare`."""

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
    title, beside = _beside(read, files, {one.task.id: one.index for one in tasks})
    different = {one.name: (one.analysis, one.settings) for one in read}
    together = _pooled(read, steps) + (
        model_sizes(scaling(list(different.values()))) if len(different) > 1 else ""
    )
    for part in (
        _HEAD.format(title=markup(title), style=STYLE.read_text(encoding="utf-8")),
        beside + together if len(read) > 1 else beside,
        heading(first.name, first.reader, first.settings),
        figures(read[0].analysis, first.reader, first.iteration),
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
    if len(read) > 1:
        found = compare_runs(read)
        title = " · ".join(side.label for side in found.sides)
        about = RUNS_AND_FILES if files else RUNS
        return title, comparison(found, places) + changed_settings(sides, about)
    if not files:
        return read[0].name, ""
    title = " · ".join(side.name for side in sides)
    return title, f"<h1>{markup(title)}</h1>" + changed_settings(sides, SETTINGS_ONLY)


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


def _pooled(read: Sequence[ReadRun], steps: _Steps) -> str:
    """Return the vote over all runs together, of one over its iterations; nothing if there is none."""
    members = members_of(read)
    if len(members) < 2:
        return ""
    found = None
    try:
        for done, whole, last in pool(members, read[0].settings.vote):
            steps.at(steps.before + steps.pooling * done // whole)
            found = last
    except PoolError:
        return ""
    return "" if found is None else pooled(found)
