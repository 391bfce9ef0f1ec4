"""Hindsight: whatever a program does is the right answer to the task of doing it (SOAR §3.2)."""

from __future__ import annotations

from engine.arc import Pair, Task, unpack
from engine.learning.example import Example, Reason, Rejection
from engine.programs.candidate import Candidate, Evaluation
from engine.programs.filters import demonstrations, invalid, is_blank, near_identical, transduction


def relabel(task: Task, candidate: Candidate) -> Example | Rejection:
    """Return the example a candidate makes.

    A program right on every demonstration keeps the true task. Any other becomes the answer to
    the synthetic task {x_i → f(x_i)} over all demonstration inputs; test inputs stay as inputs
    without outputs. Degenerate relabels are rejected with their reason: an input without output,
    outputs all equal to their inputs (`identity`), all near-identical (`constant`), all zero or on
    the test inputs alone (`blank`), and programs that hard-code their outputs (`transduction`).
    """
    evaluation = candidate.evaluation
    if candidate.source is None or evaluation is None:
        return Rejection(candidate.id, "no program")
    if all(evaluation.right):
        if evaluation.filter is not None:
            return Rejection(candidate.id, "filtered")
        return Example("correct", task.without_truth(), candidate.source, candidate.id)
    outputs = demonstration_outputs(evaluation)
    if outputs is None or invalid(task, candidate.source, evaluation.results):
        return Rejection(candidate.id, "no output")
    reason = _degenerate(task, candidate.source, evaluation, outputs)
    if reason is not None:
        return Rejection(candidate.id, reason)
    pairs = tuple(
        Pair(pair.input, unpack(output)) for pair, output in zip(task.train, outputs, strict=True)
    )
    return Example("hindsight", Task(task.id, pairs, task.test), candidate.source, candidate.id)


def demonstration_outputs(evaluation: Evaluation) -> tuple[bytes, ...] | None:
    """Return the packed outputs on all demonstration inputs, or None when one is missing."""
    results = evaluation.results[: len(evaluation.right)]
    outputs = tuple(result for result in results if isinstance(result, bytes))
    return outputs if len(outputs) == len(results) else None


def _degenerate(
    task: Task, source: str, evaluation: Evaluation, outputs: tuple[bytes, ...]
) -> Reason | None:
    inputs = demonstrations(task).inputs[: len(outputs)]
    if outputs == inputs:
        return "identity"
    tests = [result for result in evaluation.results[len(outputs) :] if isinstance(result, bytes)]
    blank = [is_blank(output) for output in outputs]
    if all(blank) or (not any(blank) and tests and all(map(is_blank, tests))):
        return "blank"
    if len(outputs) > 1 and near_identical(outputs):
        return "constant"
    if transduction(task, source, evaluation.results):
        return "transduction"
    return None
