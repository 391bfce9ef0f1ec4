"""Model-size scaling: what runs of several policies solve, against how large their models are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from engine.analysis.estimates import Estimate
from engine.analysis.iteration import IterationFigures
from engine.analysis.together import ReadRun
from engine.config import Settings

_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)\s?([bBmM])(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class ScalingPoint:
    """The iteration that a run stands for beside its model's size."""

    run: str
    """The run's name."""
    iteration: int
    """The iteration, from 0."""
    model: str
    """The model's name, else the policy's."""
    parameters: float | None
    """How many its name says, e.g. 7e9 for `Qwen2.5-Coder-7B-Instruct`; None where it says none."""
    tasks: int
    """Tasks voted on."""
    candidates: float
    """Mean number of candidates spent on a task."""
    solved: Estimate | None
    """Share of the tasks of known truth that are solved."""
    oracle: Estimate | None
    """Share of them for which some candidate is right on every test input."""
    credit: Estimate | None
    """Mean share of test inputs that either submission matches."""


def parameters_in(name: str) -> float | None:
    """Return the number of parameters a model's name says, e.g. 1.35e8 for `smollm2-135m`.

    Of several sizes it is the largest: a context, as in `7B-Instruct-1M`, is written like one.
    """
    sizes = [float(number) * (1e9 if unit in "bB" else 1e6) for number, unit in _SIZE.findall(name)]
    return max(sizes, default=None)


def model_name(settings: Settings, row: IterationFigures) -> str:
    """Return which model a run's policy is: an endpoint's, the served one's, else the policy's name."""
    names = [endpoint.model for endpoint in settings.policy.endpoints]
    served = [] if settings.serve.model is None else [PurePath(settings.serve.model).name]
    for name in (*names, *served, settings.train.model or "", row.policy):
        if parameters_in(name) is not None:
            return name
    return (served or [name for name in names if name != "default"] or [row.policy])[0]


def scaling(runs: Sequence[ReadRun]) -> tuple[ScalingPoint, ...]:
    """Return one point per run that has voted, smallest model first, unknown sizes last."""
    found = []
    for run in runs:
        voted = [row for row in run.analysis.iterations if row.tasks and row.index == run.chosen]
        if not voted:
            continue
        (row,) = voted
        model = model_name(run.settings, row)
        found.append(
            ScalingPoint(
                run=run.name,
                iteration=row.index,
                model=model,
                parameters=parameters_in(model),
                tasks=row.tasks,
                candidates=row.spending.candidates / row.tasks,
                solved=row.solved,
                oracle=row.oracle,
                credit=row.credit,
            )
        )
    return tuple(
        sorted(found, key=lambda one: (one.parameters is None, one.parameters or 0.0, one.run))
    )
