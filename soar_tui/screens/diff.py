"""Diff (d): what a refinement changed in its parent, in the code and in the grids."""

from __future__ import annotations

import difflib
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc.grid import Grid, unpack
from engine.archive.rows import CandidateDetail
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui.keys import bindings
from soar_tui.screens.inside import InsidePlace, Lineage
from soar_tui.screens.put import entitle
from soar_tui.widgets.grid_pair import PairRow, PairView, Produced
from soar_tui.widgets.source_view import SourceView


def changed_rows(lineage: Lineage) -> tuple[PairRow, ...]:
    """Return every input with what the parent gave and what the candidate gives."""
    task = lineage.task
    truth = (None,) * len(task.test) if task.truth is None else task.truth
    inputs: list[tuple[str, Grid, Grid | None]] = [
        (f"demonstration {n}", pair.input, pair.output) for n, pair in enumerate(task.train, 1)
    ]
    inputs += [
        (f"test input {n}", grid, known)
        for n, (grid, known) in enumerate(zip(task.test, truth, strict=True), 1)
    ]
    several = [step for step in (lineage.parent, lineage.detail) if step is not None]
    return tuple(
        PairRow(title, grid, expected, tuple(p for step in several for p in _produced(step, place)))
        for place, (title, grid, expected) in enumerate(inputs)
    )


def _produced(step: CandidateDetail, place: int) -> tuple[Produced, ...]:
    evaluation = step.candidate.evaluation
    if evaluation is None:
        return ()
    result = evaluation.results[place]
    name = f"#{split_candidate_id(step.candidate.id)[2]}"
    return (Produced(name, result if isinstance(result, Failure) else unpack(result)),)


class Diff(InsidePlace):
    """The code's diff at the left, the grids before and after at the right."""

    place = "diff"
    BINDINGS: ClassVar[list[BindingType]] = bindings("diff")

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="facts", markup=False)
            with Horizontal(id="both"):
                yield SourceView(id="code", classes="pane")
                yield PairView(id="grids", classes="pane")

    def show(self, body: object) -> None:
        before = self.lineage
        lineage = self.take_lineage(body)
        if before is not None and before.detail.candidate.id == lineage.detail.candidate.id:
            return
        code, grids = self.query_one("#code", SourceView), self.query_one("#grids", PairView)
        source, parent = lineage.detail.candidate.source or "", lineage.parent
        if parent is None:
            entitle(code, "sampled: it has no parent, this is all of it")
            code.show_source(source)
        else:
            number = split_candidate_id(parent.candidate.id)[2]
            entitle(code, f"changed from #{number}")
            code.show_diff(parent.candidate.source or "", source)
        entitle(grids, "before and after" if parent is not None else "what it gives")
        grids.show(changed_rows(lineage))
        self.focus_first(code)

    def copied(self) -> tuple[str, str] | None:
        lineage = self.lineage
        if lineage is None or lineage.parent is None:
            return super().copied()
        return f"{self.stem}.diff", diff_text(lineage.parent, lineage.detail)

    def exported(self) -> dict[str, str] | None:
        copied = self.copied()
        return None if copied is None else dict([copied])


def diff_text(parent: CandidateDetail, child: CandidateDetail) -> str:
    """Return the unified diff of two candidates' sources."""
    names = [f"#{split_candidate_id(step.candidate.id)[2]}" for step in (parent, child)]
    lines = difflib.unified_diff(
        (parent.candidate.source or "").splitlines(keepends=True),
        (child.candidate.source or "").splitlines(keepends=True),
        names[0],
        names[1],
    )
    return "".join(lines)


PLACE = Diff
