"""What a report says of a run around its figures: what it was, and its metrics."""

from __future__ import annotations

import datetime

from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.charts import Chart, chart
from engine.exports.text import markup
from engine.figures.figure import Line

CURVES = 5
"""Curves of a group that are drawn, its last."""


def heading(name: str, reader: RunReader, settings: Settings) -> str:
    """Return the title and one line that says what the run is."""
    rows = reader.iterations()
    day = datetime.datetime.fromtimestamp(reader.created, datetime.UTC).strftime(
        "%Y-%m-%d %H:%M UTC"
    )
    through = sum(row.ended is not None for row in rows)
    parts = [
        f"tasks {settings.tasks}",
        f"policy {settings.policy.kind}",
        f"seed {settings.seed}",
        f"{through} of {settings.planned_iterations} iterations through",
        f"{sum(row.candidates for row in rows):,} candidates",
        f"begun {day}",
    ]
    return f'<h1>{markup(name)}</h1><p class="soft">{markup(" · ".join(parts))}</p>'


def metrics(reader: RunReader) -> str:
    """Return a chart per group of metrics, which says how many of its curves it leaves out."""
    groups: dict[str, list[Line]] = {}
    for name in reader.metric_names():
        group, _, rest = name.rpartition("/")
        points = tuple((float(p.step), p.value) for p in reader.metrics(name))
        groups.setdefault(group or name, []).append(Line(rest if group else name, points))
    drawn = "".join(
        chart(Chart(_title(group, len(held) - CURVES), "step", tuple(held[-CURVES:])))
        for group, held in groups.items()
    )
    return f'<h2>Metrics</h2><div class="charts">{drawn}</div>' if drawn else ""


def _title(group: str, left_out: int) -> str:
    return f"{group} (the first {left_out} left out)" if left_out > 0 else group
