"""What narrows the list of candidates: the filters of a view as a query, and in words."""

from __future__ import annotations

from typing import Final

import msgspec
from rich.text import Text

from engine.archive.rows import CandidateQuery
from engine.programs.candidate import FilterName, split_candidate_id
from soar_tui.open_run import OpenRun
from soar_tui.sanitise import one_line
from soar_tui.screens.of_task import Subject
from soar_tui.view import AccuracyChoice, View

_INTERVALS: Final[dict[AccuracyChoice, tuple[float, float] | None]] = {
    "any": None,
    "0": (0.0, 0.0),
    "0-50": (1e-9, 0.5),
    "50-99": (0.5, 1 - 1e-9),
    "100": (1.0, 1.0),
}


def applied(view: View) -> View:
    """Return a view without the filters that are set and not in force.

    The children of an arm and the bookmarked candidates are few and listed whole.
    """
    if view.parent is None and not view.marked:
        return view
    return msgspec.structs.replace(
        view, operator="both", status="all", accuracy="any", filter="any", pattern=None, text=""
    )


def query_of(view: View, subject: Subject) -> CandidateQuery:
    """Return what the view's filters ask of the archive."""
    status = view.status
    filter_name: FilterName | str | None = None
    if view.filter != "any":
        filter_name = "" if view.filter == "none" else view.filter
    every = view.iteration is None if view.whole_run else _of_pooled_pattern(view)
    return CandidateQuery(
        iteration=None if every else subject.iteration,
        task=None if view.whole_run else subject.index,
        operator=None if view.operator == "both" else view.operator,
        program=False if status == "no program" else None,
        runs={"runs": True, "fails": False}.get(status),
        filter=filter_name,  # type: ignore[arg-type]  # one of its names or ""
        accuracy=_INTERVALS[view.accuracy],
        perfect=True if status == "perfect" else None,
        right=True if status == "right" else None,
        pattern=None if view.whole_run else view.pattern,
        text=view.text or None,
    )


def total_of(run: OpenRun, query: CandidateQuery, subject: Subject) -> int | None:
    """Return how many candidates a query asks for, None where each has to be looked at."""
    if query == CandidateQuery(iteration=query.iteration, task=query.task):
        if query.task is not None:
            return subject.row.candidates
        rows = [row for row in run.iterations() if query.iteration in (None, row.index)]
        return sum(row.candidates for row in rows)
    return None


def _of_pooled_pattern(view: View) -> bool:
    """Whether all that stands behind a pattern of a vote over all iterations is listed."""
    return view.pooled and view.pattern is not None and not view.whole_run


def filters_line(view: View) -> Text:
    """Return what is listed, the filters that are on standing out."""
    view = applied(view)
    text = Text(no_wrap=True, overflow="ellipsis")

    def fact(key: str, name: str, value: str, *, on: bool) -> None:
        text.append(f" {key} ", style="dim")
        text.append(f"{name}: ", style="dim")
        text.append(value, style="bold reverse" if on else "")
        text.append(" ")

    fact("a", "of", "the whole run" if view.whole_run else "this task", on=view.whole_run)
    fact("o", "by", view.operator, on=view.operator != "both")
    fact("s", "status", view.status, on=view.status != "all")
    fact("h", "right", view.accuracy, on=view.accuracy != "any")
    fact("f", "filter", view.filter, on=view.filter != "any")
    return text


def narrowed_to(view: View) -> str:
    """Return the list's title: what else narrows it, which Escape takes off again."""
    view = applied(view)
    said = []
    if view.parent is not None:
        said.append(f"refined from #{split_candidate_id(view.parent)[2]}")
    elif view.pattern is not None and not view.whole_run:
        pooled = ", over all iterations" if _of_pooled_pattern(view) else ""
        said.append(f"of one pattern{pooled}")
    if view.marked:
        said.append("with a bookmark")
    if view.text:
        said.append(f"that hold “{one_line(view.text)}”")
    return " ".join(["candidates", *said, *(["(esc: all)"] if said else [])])
