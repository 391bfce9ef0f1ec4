"""Chain (c): a candidate's refinement lineage as a tree and as a filmstrip, step by step."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from engine.arc.grid import unpack
from engine.archive.rows import CandidateDetail, CandidateRow
from engine.figures.numbers import count
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui.keys import bindings
from soar_tui.screens.inside import InsidePlace, Lineage
from soar_tui.screens.put import entitle
from soar_tui.widgets.chain_tree import ChainNode, ChainTree
from soar_tui.widgets.filmstrip import Film, Filmstrip, Frame
from soar_tui.widgets.source_view import SourceView


def node_of_row(row: CandidateRow, pairs: int) -> ChainNode:
    """Return a candidate as the tree takes it."""
    note = (
        "no program" if row.length is None else "error" if row.runs is False else row.filter or ""
    )
    return ChainNode(
        id=row.id,
        parent=row.parent,
        number=row.number,
        operator=row.operator,
        right=round((row.accuracy or 0.0) * pairs),
        pairs=pairs,
        note=note,
    )


def node_of_detail(detail: CandidateDetail, pairs: int) -> ChainNode:
    """Return a candidate, read whole, as the filmstrip takes it."""
    candidate = detail.candidate
    evaluation = candidate.evaluation
    return ChainNode(
        id=candidate.id,
        parent=candidate.parent,
        number=split_candidate_id(candidate.id)[2],
        operator=candidate.operator,
        right=0 if evaluation is None else sum(evaluation.right),
        pairs=pairs,
        note="no program" if evaluation is None else evaluation.filter or "",
    )


def film_of(lineage: Lineage) -> Film:
    """Return the lineage as a film: a frame per step, a row per input."""
    task = lineage.task
    truth = (None,) * len(task.test) if task.truth is None else task.truth
    expected = (*(pair.output for pair in task.train), *truth)
    frames = []
    for step in lineage.steps:
        evaluation = step.candidate.evaluation
        results = (
            tuple(Failure("refused", "no program in the reply") for _ in expected)
            if evaluation is None
            else tuple(r if isinstance(r, Failure) else unpack(r) for r in evaluation.results)
        )
        frames.append(Frame(node_of_detail(step, len(task.train)), results))
    return Film(expected, tuple(frames))


class Chain(InsidePlace):
    """The tree at the left, the film at the right, the code of this step beneath."""

    place = "chain"
    BINDINGS: ClassVar[list[BindingType]] = bindings("chain")

    def compose_place(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="facts", markup=False)
            with Horizontal(id="both"):
                yield ChainTree(id="tree", classes="pane")
                yield Filmstrip(id="film", classes="pane")
            yield SourceView(id="change", classes="pane")

    def show(self, body: object) -> None:
        before = self.lineage
        lineage = self.take_lineage(body)
        pairs = len(lineage.task.train)
        tree = self.query_one("#tree", ChainTree)
        nodes = [node_of_row(row, pairs) for row in lineage.relatives]
        chosen = lineage.detail.candidate.id
        left_out = f"{count(lineage.cut)} more not read" if lineage.cut else ""
        entitle(tree, f"{count(len(nodes))} in this family", left_out)
        tree.show(nodes, chosen)
        if before is None or before.detail.candidate.id != chosen:
            self._show_steps(lineage)
        self.focus_first(tree)

    def _show_steps(self, lineage: Lineage) -> None:
        film = self.query_one("#film", Filmstrip)
        steps = len(lineage.steps)
        entitle(film, "1 step, sampled" if steps == 1 else f"{steps} steps from its root")
        film.show(film_of(lineage))
        change = self.query_one("#change", SourceView)
        source, parent = lineage.detail.candidate.source or "", lineage.parent
        if parent is None:
            entitle(change, "its source: it was sampled, so there is nothing to compare it to")
            change.show_source(source)
        else:
            number = split_candidate_id(parent.candidate.id)[2]
            entitle(change, f"what changed from #{number} (d: all of it)")
            change.show_diff(parent.candidate.source or "", source)

    @on(ChainTree.Moved, "#tree")
    def _select(self) -> None:
        node = self.query_one("#tree", ChainTree).selected
        if node is not None:
            self.soar.look(candidate=node.id)

    @on(ChainTree.Chosen, "#tree")
    def _open(self) -> None:
        self.soar.action_act("go-diff")

    def exported(self) -> dict[str, str] | None:
        if self.lineage is None:
            return None
        files = {}
        for place, step in enumerate(self.lineage.steps):
            number = split_candidate_id(step.candidate.id)[2]
            if step.candidate.source is not None:
                files[f"{self.stem}-step{place}-{number}.py"] = step.candidate.source
        return files


PLACE = Chain
