"""The report: written as it is made, section by section, so that its size is no concern of memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine.analysis import RunRecords, read_records, run_analysis
from engine.archive.reader import RunReader
from engine.config import Settings
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


def write_report(
    name: str,
    reader: RunReader,
    settings: Settings,
    file: BinaryIO,
    on_progress: Callable[[int, int], None],
) -> int:
    """Write a run as one HTML page and return how many tasks are in it.

    `on_progress` hears how many of all steps are done. Raises ArchiveError.
    """
    tasks = searched_tasks(reader)
    records = RunRecords()
    steps = len(tasks)
    for done, searches in read_records(reader, settings, records):
        steps = searches + len(tasks)
        on_progress(done, steps)
    analysis = run_analysis(name, reader, settings, records)
    head = _HEAD.format(title=markup(name), style=STYLE.read_text(encoding="utf-8"))
    for part in (
        head,
        heading(name, reader, settings),
        figures(analysis),
        curves(reader, analysis),
        lists(analysis),
        wall(tasks),
    ):
        file.write(part.encode())
    for done, one in enumerate(tasks, 1):
        file.write(task_section(reader, one).encode())
        on_progress(steps - len(tasks) + done, steps)
    settings_text = markup(reader.settings_text, lines=True)
    file.write(f"<h2>Settings</h2><pre>{settings_text}</pre></body></html>\n".encode())
    return len(tasks)
