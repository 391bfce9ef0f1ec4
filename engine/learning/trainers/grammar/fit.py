"""Fitting the contextual model: weighted maximum likelihood of the steps of examples (SOAR §3.2).

`python -m engine.learning.trainers.grammar.fit DATASET OUT` is the training job of the embedded policy: it
prints a line of JSON per round of progress and a last one when the checkpoint is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.learning.dataset import read_dataset
from engine.learning.example import Example
from engine.learning.trainers.grammar.decisions import Decision, decisions, edit_shares
from engine.policies.grammar.checkpoint import (
    Softmax,
    Weights,
    load_weights,
    save_weights,
    slot_name,
    value_name,
)
from engine.policies.grammar.language import PRIMITIVES
from engine.policies.grammar.trained import aligned, aligned_steps, softmax
from engine.policies.grammar.traits import ROLES

GOING_ON = 0.5
FEWEST = 5
"""Decisions below which a slot is left to the untrained model."""
_PENALTY = 1e-3
_BATCH = 1024
_CHUNK_TASKS = 8

Report = Callable[[int, int, float], None]
"""Called with (rounds done, all rounds, mean loss in nats)."""


def fit(
    found: Sequence[Decision], base: Weights | None, report: Report, *, seed: int = 0
) -> tuple[Softmax, dict[str, Softmax]]:
    """Return the softmax of primitives and those of slots that make the decisions likeliest.

    Weights are held near those of `base` (None: near 0) by an L2 penalty, the more so the more
    decisions the base saw. Raises ValueError when there is nothing to learn from. The same
    decisions, base and seed give the same weights.
    """
    if not found:
        raise ValueError("no example holds a program of this language")
    rng = np.random.default_rng(seed)
    names = tuple(PRIMITIVES)
    steps = _regress(
        np.stack([decision.inputs for decision in found]),
        _one_hot([(decision.primitive,) for decision in found], names),
        np.array([decision.weight for decision in found]),
        rng,
        penalty=_PENALTY * _faith(base, len(found)),
        start=None if base is None else aligned_steps(base.steps),
        report=report,
    )
    return Softmax(names, steps), _fit_slots(found, base, rng)


def _faith(base: Weights | None, found: int) -> float:
    """How much more a base weighs than nothing: by the decisions it saw, per decision now."""
    return 1.0 if base is None else 1.0 + float(base.meta["decisions"]) / found


def _fit_slots(
    found: Sequence[Decision], base: Weights | None, rng: np.random.Generator
) -> dict[str, Softmax]:
    uses: dict[str, list[tuple[Decision, tuple[str, ...]]]] = defaultdict(list)
    for decision in found:
        for name, values in decision.slots:
            uses[name].append((decision, values))
    domains = _domains()
    known = {} if base is None else base.slots
    faith = _faith(base, len(found))
    fitted = dict(known)
    for name in sorted(uses):
        if len(uses[name]) < FEWEST:
            continue
        weights = np.array([decision.weight for decision, _ in uses[name]])
        chosen = [values for _, values in uses[name]]
        kind, domain = domains[name]
        if kind == "colour":
            parts = np.stack([decision.parts for decision, _ in uses[name]])
            start = known[name].weights[:, 0] if name in known else None
            fitted[name] = Softmax(
                ("role",), _regress_roles(parts, chosen, weights, start, 3e-3 * faith)
            )
            continue
        vectors = np.stack([decision.vector for decision, _ in uses[name]])
        fitted[name] = Softmax(
            domain,
            _regress(
                vectors,
                _one_hot(chosen, domain),
                weights,
                rng,
                penalty=(3e-3 + 0.5 / len(chosen)) * (faith if name in known else 1.0),
                start=aligned(known[name], domain) if name in known else None,
                rounds=30 if len(chosen) > 500 else 60,
            ),
        )
    return fitted


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


def _one_hot(chosen: Sequence[tuple[str, ...]], values: tuple[str, ...]) -> NDArray[np.float32]:
    """Return rows that share 1 among the chosen values; values not in the domain get none."""
    place = {value: column for column, value in enumerate(values)}
    rows = np.zeros((len(chosen), len(values)), dtype=np.float32)
    for row, names in enumerate(chosen):
        for name in names:
            if name in place:
                rows[row, place[name]] += 1 / len(names)
    return rows


def _regress(
    inputs: NDArray[np.float32],
    wanted: NDArray[np.float32],
    weights: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    penalty: float,
    start: NDArray[np.float32] | None = None,
    rounds: int = 30,
    rate: float = 0.05,
    report: Report | None = None,
) -> NDArray[np.float32]:
    """Fit a softmax regression by Adam on shuffled batches; shape (inputs, values).

    `penalty` is L2, on the distance from `start` (None: from 0).
    """
    count, shape = len(inputs), (inputs.shape[1], wanted.shape[1])
    shares = (weights / weights.mean()).astype(np.float32)[:, None]
    centre = np.zeros(shape, dtype=np.float32) if start is None else start
    fitted = centre.copy()
    mean, square = np.zeros_like(fitted), np.zeros_like(fitted)
    step = 0
    for done in range(rounds):
        order = rng.permutation(count)
        loss = 0.0
        for first in range(0, count, _BATCH):
            rows = order[first : first + _BATCH]
            likely = softmax(inputs[rows] @ fitted)
            loss -= float((shares[rows] * wanted[rows] * np.log(likely + 1e-9)).sum())
            slope = inputs[rows].T @ ((likely - wanted[rows]) * shares[rows]) / len(rows)
            slope += penalty * (fitted - centre)
            step += 1
            mean = 0.9 * mean + 0.1 * slope
            square = 0.99 * square + 0.01 * slope * slope
            size = rate * (1 - 0.9 * done / rounds) / (1 - 0.9**step)
            fitted -= size * mean / (np.sqrt(square / (1 - 0.99**step)) + 1e-6)
        if report is not None:
            report(done + 1, rounds, loss / count)
    return fitted


def _regress_roles(
    parts: NDArray[np.float32],
    chosen: Sequence[tuple[str, ...]],
    weights: NDArray[np.float64],
    start: NDArray[np.float32] | None,
    penalty: float,
) -> NDArray[np.float32]:
    """Fit one weight per role, so that the chosen colours are the likeliest; (roles, 1)."""
    colours = np.array([int(names[0]) for names in chosen])
    shares = (weights / weights.sum()).astype(np.float32)
    centre = np.zeros(len(ROLES), dtype=np.float32) if start is None else start
    fitted = centre.copy()
    for _ in range(200):
        likely = softmax(parts @ fitted)
        likely[np.arange(len(colours)), colours] -= 1
        fitted -= np.einsum("n,nc,ncr->r", shares, likely, parts)
        fitted -= penalty * (fitted - centre)
    return fitted[:, None]


def train(
    dataset: Path,
    out: Path,
    report: Report,
    *,
    base: Path | None = None,
    seed: int = 0,
    workers: int = 1,
) -> int:
    """Fit a model to a dataset, write the checkpoint, and return how many decisions it saw.

    Examples are replayed by `workers` processes; how many there are changes nothing in the
    result. `base` is a checkpoint to stay near. Raises DatasetError, CheckpointError, and
    ValueError when there is nothing to learn from.
    """
    known = None if base is None else load_weights(base)
    found: list[Decision] = []
    examples = 0
    repairs: list[Example] = []
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for chunk in pool.map(_replay, _chunks(dataset)):
            found += chunk
    for example in read_dataset(dataset):
        examples += 1
        if example.parent is not None:
            repairs.append(example)
    steps, slots = fit(found, known, report, seed=seed)
    meta = {"examples": examples, "decisions": len(found), "seed": seed}
    save_weights(Weights(steps, slots, edit_shares(repairs), GOING_ON, meta), out)
    return len(found)


def _chunks(dataset: Path) -> Iterator[list[Example]]:
    """Yield the examples of a few tasks at a time."""
    chunk: list[Example] = []
    tasks = 0
    for _, examples in groupby(read_dataset(dataset), key=lambda example: example.task.id):
        chunk += examples
        tasks += 1
        if tasks == _CHUNK_TASKS:
            yield chunk
            chunk, tasks = [], 0
    if chunk:
        yield chunk


def _replay(examples: list[Example]) -> list[Decision]:
    return list(decisions(examples))


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
        count = train(
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
    say("done", rows=count, dropped=0, losses=losses, tokens=0, surviving=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
