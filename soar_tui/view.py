"""What of a run is being looked at: kept while one moves between places, and saved per run."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import Formula

CandidateStatus = Literal["all", "perfect", "right", "runs", "fails", "no program"]
OperatorChoice = Literal["both", "sample", "refine"]
FilterChoice = Literal["any", "none", "invalid", "blank", "constant", "identity", "transduction"]
AccuracyChoice = Literal["any", "0", "0-50", "50-99", "100"]


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place and what is selected in it; `iteration` None follows the latest one.

    `candidate` is a candidate's id, `pattern` limits Candidates to one pattern of the task's vote,
    `parent` to the children of one arm. `beside` are the folders of the runs laid beside this one,
    `files` the paths of the settings files.
    """

    place: str = "overview"
    iteration: int | None = None
    task: int = 0
    candidate: int | None = None
    whole_run: bool = False
    operator: OperatorChoice = "both"
    status: CandidateStatus = "all"
    accuracy: AccuracyChoice = "any"
    filter: FilterChoice = "any"
    pattern: int | None = None
    parent: int | None = None
    marked: bool = False
    text: str = ""
    formula: Formula | None = None
    pooled: bool = False
    digits: bool = False
    curve: int = 0
    beside: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def to_document(view: View) -> dict[str, Any]:
    """Return a view as plain data."""
    document: dict[str, Any] = msgspec.to_builtins(view)
    return document


def from_document(document: object) -> View:
    """Return the view that was saved; one of another version of the app is a fresh view."""
    try:
        return msgspec.convert(document, View)
    except msgspec.ValidationError:
        return View()
