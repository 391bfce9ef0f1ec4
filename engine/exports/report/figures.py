"""Figures as a report shows them: name, sentence, curves and table, every text in them escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.exports.report.charts import Chart, chart
from engine.exports.text import markup
from engine.figures.figure import Figure, Heading

_MARKS: Final = {"✓": "good", "○": "half", "·": "soft"}


def sections(figures: Iterable[Figure], places: Mapping[str, int]) -> str:
    """Return figures; ids of tasks lead to their `places` in the report."""
    return "".join(section(one, places) for one in figures)


def section(
    figure: Figure, places: Mapping[str, int], *, ahead: int | None = None, rest: str = ""
) -> str:
    """Return a figure; rows after the first `ahead` are folded away, under their number and `rest`."""
    name = figure.name[:1].upper() + figure.name[1:]
    parts = [f'<h2>{markup(name)}</h2><p class="soft">{markup(figure.about)}</p>']
    parts += [f'<p class="bad">{markup(warning)}</p>' for warning in figure.warnings]
    if not figure.rows:
        return "".join([*parts, f"<p>{markup(figure.empty)}</p>"])
    # A single point says no more than its row does.
    if any(len(line.points) > 1 for line in figure.lines):
        what = Chart(name, figure.x_name, figure.lines, share=figure.shares, log=figure.log_x)
        parts.append(f'<div class="charts">{chart(what)}</div>')
    shown, folded = figure.rows[:ahead], figure.rows[len(figure.rows) if ahead is None else ahead :]
    if shown:
        parts.append(_table(figure.headings, shown, places))
    if folded:
        table = _table(figure.headings, folded, places)
        said = f"{len(folded):,} {rest}"
        parts.append(f"<details><summary>{markup(said)}</summary>{table}</details>")
    return "".join(parts)


def _table(
    headings: Sequence[Heading], rows: Iterable[Sequence[str]], places: Mapping[str, int]
) -> str:
    head = "".join(f"<th>{markup(heading.title)}</th>" for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{_cell(text, heading, places, first=heading is headings[0])}</td>"
            for heading, text in zip(headings, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, heading: Heading, places: Mapping[str, int], *, first: bool) -> str:
    if heading.tasks:
        return f'<a href="#t{places[text]}">{markup(text)}</a>'
    if text in _MARKS:
        return f'<span class="{_MARKS[text]}">{text}</span>'
    if heading.right or first:
        return markup(text)
    return f'<span class="value">{markup(text)}</span>'
