"""One training example as the policy is shown it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.arc.grid import unpack
from engine.archive.rows import CandidateDetail, Example
from engine.programs.candidate import Failure, split_candidate_id
from soar_tui.open_run import OpenRun
from soar_tui.widgets.grid_pair import PairRow, Produced


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """One example as the policy is shown it: inputs and what the answer makes of them."""

    example: Example
    detail: CandidateDetail | None
    pairs: tuple[PairRow, ...]


def preview_of(run: OpenRun, example: Example | None) -> Preview | None:
    """Read an example whole; one of another run has no preview here."""
    if example is None:
        return None
    if example.run is not None:
        return Preview(example, None, ())
    detail = run.reader.candidate(example.candidate)
    _, index, _ = split_candidate_id(example.candidate)
    task = run.reader.tasks()[index]
    evaluation = detail.candidate.evaluation
    if evaluation is None:
        return Preview(example, detail, ())
    pairs = []
    for number, pair in enumerate(task.train):
        result = evaluation.results[number]
        title = f"demonstration {number + 1}"
        if example.label != "hindsight" or isinstance(result, Failure):
            shown = result if isinstance(result, Failure) else unpack(result)
            produced = (Produced("the answer gives", shown),)
            pairs.append(PairRow(title, pair.input, pair.output, produced))
        else:
            # Relabelled: what the program makes of the input is the output it is shown for it.
            pairs.append(PairRow(f"{title}, relabelled", pair.input, unpack(result)))
    return Preview(example, detail, tuple(pairs))
