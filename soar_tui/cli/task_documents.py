"""A task of a run as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soar_tui.cli.answers import SUBMITTED, Pattern
from soar_tui.cli.documents import Rows
from soar_tui.cli.documents.tasks import (
    CandidateDetailDocument,
    CandidateDocument,
    PatternDocument,
    ProducedDocument,
    ShowDocument,
)
from soar_tui.cli.show import TaskView, number_of
from soar_tui.cli.tasks import task_document

if TYPE_CHECKING:
    from engine.arc import Grid
    from engine.archive.rows import CandidateRow
    from engine.programs.candidate import Result


def show_document(view: TaskView) -> ShowDocument:
    """Return what a run says of a task as a document; all patterns, not only those listed."""
    task = task_document(view.task)
    return ShowDocument(
        run=view.run,
        task=view.task.id,
        iteration=view.iteration + 1,
        finished=view.row.state == "finished",
        solved=view.row.vote_right,
        oracle=view.row.oracle,
        candidates=view.row.candidates,
        train=task.train,
        test=task.test,
        submissions=[_rows(pattern.outputs) for pattern in view.patterns[:SUBMITTED]],
        formula=view.formula,
        patterns=[_pattern(pattern) for pattern in view.patterns],
        best=[_candidate(row) for row in view.best],
        candidate=_detail(view),
        tokens_in=view.row.tokens_in,
        tokens_cached=view.row.tokens_cached,
        tokens_out=view.row.tokens_out,
        cost=view.row.cost,
    )


def _rows(outputs: tuple[bytes, ...]) -> list[Rows]:
    from engine.arc import unpack

    return [unpack(output).tolist() for output in outputs]


def _pattern(pattern: Pattern) -> PatternDocument:
    return PatternDocument(
        rank=pattern.rank,
        outputs=_rows(pattern.outputs),
        count=pattern.count,
        weight=pattern.weight,
        share=pattern.share,
        submitted=pattern.submitted,
        right=None if pattern.right is None else all(pattern.right),
    )


def _candidate(row: CandidateRow) -> CandidateDocument:
    return CandidateDocument(
        id=row.id,
        number=row.number,
        operator=row.operator,
        parent=row.parent,
        accuracy=row.accuracy,
        filter=row.filter,
        length=row.length,
    )


def _detail(view: TaskView) -> CandidateDetailDocument | None:
    if view.detail is None:
        return None
    candidate = view.detail.candidate
    demonstrated, tested = view.produced()
    expected = [pair.output for pair in view.task.train]
    truth = view.task.truth or (None,) * len(view.task.test)
    evaluation = candidate.evaluation
    return CandidateDetailDocument(
        id=candidate.id,
        number=number_of(candidate.id),
        operator=candidate.operator,
        parent=candidate.parent,
        accuracy=None if evaluation is None else evaluation.accuracy,
        filter=None if evaluation is None else evaluation.filter,
        length=None if candidate.source is None else len(candidate.source),
        source=candidate.source,
        train=[_produced(*both) for both in zip(demonstrated, expected, strict=True)],
        test=[_produced(*both) for both in zip(tested, truth, strict=True)],
        chain=[_candidate(row) for row in view.chain],
        finish=candidate.finish,
        tokens_in=candidate.tokens_in,
        tokens_cached=candidate.tokens_cached,
        tokens_out=candidate.tokens_out,
        cost=candidate.cost,
        weights=candidate.weights,
    )


def _produced(result: Result | None, expected: Grid | None) -> ProducedDocument:
    from engine.arc import pack, unpack

    right = None if expected is None else result == pack(expected)
    if isinstance(result, bytes):
        return ProducedDocument(output=unpack(result).tolist(), error=None, right=right)
    error = "no program" if result is None else f"{result.kind}: {result.text}"
    return ProducedDocument(output=None, error=error, right=right)
