"""The report: written as it is made, section by section, so that its size is no concern of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.analysis import ReadRun, RunRecords, compare_runs, read_records, run_analysis
from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.comparison import comparison
from engine.exports.report.overview import curves, figures, heading, lists
from engine.exports.report.tasks import searched_tasks, task_section, wall
from engine.exports.text import markup

STYLE = Path(__file__).with_name("style.css")

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
    runs: Sequence[Reported], file: BinaryIO, on_progress: Callable[[int, int], None]
) -> int:
    """Write runs as one HTML page and return how many tasks are in it.

    Several are compared with each other; the first is told in full, task by task. `on_progress`
    hears how many of all steps are done. Raises ArchiveError, and ComparisonError before anything
    is written when there is nothing to compare.
    """
    first = runs[0]
    tasks = searched_tasks(first.reader)
    read: list[ReadRun] = []
    steps = before = 0
    for run in runs:
        records = RunRecords()
        for done, searches in read_records(run.reader, run.settings, records):
            steps = before + searches + len(tasks)
            on_progress(before + done, steps)
        before += len(records.held)
        analysis = run_analysis(run.name, run.reader, run.settings, records)
        read.append(ReadRun(run.name, run.settings, run.reader, records, analysis, run.iteration))
    title, beside = first.name, ""
    if len(read) > 1:
        found = compare_runs(read)
        title = " · ".join(side.label for side in found.sides)
        beside = comparison(found, {one.task.id: one.index for one in tasks})
    analysis = read[0].analysis
    for part in (
        _HEAD.format(title=markup(title), style=STYLE.read_text(encoding="utf-8")),
        beside,
        heading(first.name, first.reader, first.settings),
        figures(analysis),
        curves(first.reader, analysis),
        lists(analysis),
        wall(tasks),
    ):
        file.write(part.encode())
    for done, one in enumerate(tasks, 1):
        file.write(task_section(first.reader, one).encode())
        on_progress(steps - len(tasks) + done, steps)
    settings_text = markup(first.reader.settings_text, lines=True)
    file.write(f"<h2>Settings</h2><pre>{settings_text}</pre></body></html>\n".encode())
    return len(tasks)
