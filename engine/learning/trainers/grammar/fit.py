"""Fitting the contextual model: weighted maximum likelihood of the steps of examples (SOAR §3.2).

`python -m engine.learning.trainers.grammar.fit DATASET OUT` is the training job of the embedded policy: it
prints a line of JSON per round of progress and a last one when the checkpoint is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.learning.dataset import Portion, read_portions
from engine.learning.trainers.grammar.decisions import (
    Decisions,
    decisions,
    edit_counts,
    edit_shares,
    joined,
    table,
)
from engine.learning.trainers.grammar.regress import Report, one_hot, regress, regress_roles
from engine.policies.grammar.checkpoint import (
    Softmax,
    Weights,
    load_weights,
    save_weights,
    slot_name,
    value_name,
)
from engine.policies.grammar.language import PRIMITIVES
from engine.policies.grammar.trained import DEPTHS, aligned, aligned_steps

GOING_ON = 0.5
FEWEST = 5
"""Decisions below which a slot is left to the untrained model."""
_PENALTY = 1e-3
_SLOT_PENALTY = 3e-3
_PORTION_TASKS = 8


def fit(
    found: Decisions, base: Weights | None, report: Report, pool: Executor, *, seed: int = 0
) -> tuple[Softmax, dict[str, Softmax]]:
    """Return the softmax of primitives and those of slots that make the decisions likeliest.

    Weights are held near those of `base` (None: near 0) by an L2 penalty, the more so the more
    decisions the base saw. Slots are fitted in `pool`, beside the primitives. Raises ValueError
    when there is nothing to learn from. The same decisions, base and seed give the same weights.
    """
    if not len(found):
        raise ValueError("no example holds a program of this language")
    names = tuple(PRIMITIVES)
    slots = _slot_fits(found, base, seed)
    fitted = pool.map(_fit_slot, slots.values())
    steps = regress(
        found.inputs,
        one_hot([(name,) for name in found.primitives], names),
        found.weights,
        np.random.default_rng(seed),
        penalty=_PENALTY * _faith(base, len(found)),
        start=None if base is None else aligned_steps(base.steps),
        report=report,
    )
    known = {} if base is None else dict(base.slots)
    return Softmax(names, steps), known | dict(zip(slots, fitted, strict=True))


def _faith(base: Weights | None, found: int) -> float:
    """How much more a base weighs than nothing: by the decisions it saw, per decision now."""
    return 1.0 if base is None else 1.0 + float(base.meta["decisions"]) / found


@dataclass(frozen=True, slots=True)
class _SlotFit:
    """What the fit of one slot needs: what it looks at and what was chosen, a row each.

    `looked_at` holds roles for a slot of colours, else traits; `start` the base's weights for the
    values of `domain` (None: unknown to it).
    """

    kind: str
    domain: tuple[str, ...]
    looked_at: NDArray[np.float32]
    chosen: tuple[tuple[str, ...], ...]
    weights: NDArray[np.float64]
    start: NDArray[np.float32] | None
    faith: float
    seed: tuple[int, int]


def _slot_fits(found: Decisions, base: Weights | None, seed: int) -> dict[str, _SlotFit]:
    uses: dict[str, list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
    for row, slots in enumerate(found.slots):
        for name, values in slots:
            uses[name].append((row, values))
    domains = _domains()
    fits: dict[str, _SlotFit] = {}
    for name in sorted(uses):
        if len(uses[name]) < FEWEST:
            continue
        kind, domain = domains[name]
        rows = [row for row, _ in uses[name]]
        known = None if base is None else base.slots.get(name)
        colours = kind == "colour"
        fits[name] = _SlotFit(
            kind,
            domain,
            (found.parts if colours else found.vectors)[rows],
            tuple(values for _, values in uses[name]),
            found.weights[rows],
            None if known is None else known.weights if colours else aligned(known, domain),
            1.0 if known is None else _faith(base, len(found)),
            (seed, zlib.crc32(name.encode())),
        )
    return fits


def _fit_slot(slot: _SlotFit) -> Softmax:
    if slot.kind == "colour":
        start = None if slot.start is None else slot.start[:, 0]
        penalty = _SLOT_PENALTY * slot.faith
        weights = regress_roles(slot.looked_at, slot.chosen, slot.weights, start, penalty)
        return Softmax(("role",), weights)
    weights = regress(
        slot.looked_at,
        one_hot(slot.chosen, slot.domain),
        slot.weights,
        np.random.default_rng(slot.seed),
        penalty=(_SLOT_PENALTY + 0.5 / len(slot.chosen)) * slot.faith,
        start=slot.start,
        rounds=30 if len(slot.chosen) > 500 else 60,
    )
    return Softmax(slot.domain, weights)


def _domains() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return, by slot name, the slot's kind and the names of its values."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for primitive in PRIMITIVES.values():
        for place, slot in enumerate(primitive.slots):
            found[slot_name(primitive, place)] = (
                slot.kind,
                tuple(value_name(value) for value in slot.values),
            )
    return found


def train(
    dataset: Path,
    out: Path,
    report: Report,
    *,
    base: Path | None = None,
    seed: int = 0,
    workers: int = 1,
) -> tuple[int, int]:
    """Fit a model to a dataset, write the checkpoint, and return (rows learned from, left out).

    Examples are replayed and slots fitted by `workers` processes; how many there are changes
    nothing in the result. `base` is a checkpoint to stay near. Raises DatasetError,
    CheckpointError, and ValueError when there is nothing to learn from.
    """
    known = None if base is None else load_weights(base)
    edits: Counter[str] = Counter()
    examples = 0
    tables: list[Decisions] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for found, counted, count in pool.map(_replay, _several(read_portions(dataset))):
            tables.append(found)
            edits += counted
            examples += count
        every = joined(tables)
        steps, slots = fit(every, known, report, pool, seed=seed)
    meta = {"examples": examples, "decisions": len(every), "seed": seed}
    save_weights(Weights(steps, slots, edit_shares(edits), GOING_ON, meta), out)
    # Every example that could be replayed has one first step.
    used = int(every.inputs[:, -DEPTHS].sum())
    return used, examples - used


def _several(portions: Iterator[Portion]) -> Iterator[list[Portion]]:
    """Yield a few tasks' portions at a time."""
    while some := list(islice(portions, _PORTION_TASKS)):
        yield some


def _replay(portions: Sequence[Portion]) -> tuple[Decisions, Counter[str], int]:
    """Return the decisions of some tasks' examples, the edits of repairs, how many examples."""
    examples = [example for portion in portions for example in portion.examples()]
    return table(list(decisions(examples))), edit_counts(examples), len(examples)


def main() -> int:
    """Run the training job of the command line."""
    parser = argparse.ArgumentParser(prog="python -m engine.learning.trainers.grammar.fit")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()

    def say(event: str, **values: object) -> None:
        seconds = time.monotonic() - started
        sys.stdout.write(json.dumps({"event": event, "seconds": seconds, **values}) + "\n")
        sys.stdout.flush()

    losses: list[float] = []

    def report(done: int, rounds: int, loss: float) -> None:
        losses.append(loss)
        say("step", step=done, steps=rounds, loss=loss, tokens=0)

    try:
        rows, dropped = train(
            arguments.dataset,
            arguments.out,
            report,
            base=arguments.base,
            seed=arguments.seed,
            workers=arguments.workers,
        )
    except ValueError as error:
        say("failed", reason=str(error))
        return 1
    say("done", rows=rows, dropped=dropped, losses=losses, tokens=0, surviving=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
