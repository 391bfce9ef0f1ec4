"""Softmax regression by weighted maximum likelihood, held near where it starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.policies.grammar.trained import softmax
from engine.policies.grammar.traits import ROLES

_BATCH = 1024

Report = Callable[[int, int, float], None]
"""Called with (rounds done, all rounds, mean loss in nats)."""


def one_hot(chosen: Sequence[tuple[str, ...]], values: tuple[str, ...]) -> NDArray[np.float32]:
    """Return rows that share 1 among the chosen values; values not in the domain get none."""
    place = {value: column for column, value in enumerate(values)}
    rows = np.zeros((len(chosen), len(values)), dtype=np.float32)
    for row, names in enumerate(chosen):
        for name in names:
            if name in place:
                rows[row, place[name]] += 1 / len(names)
    return rows


def regress(
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


def regress_roles(
    parts: NDArray[np.float32],
    chosen: Sequence[tuple[str, ...]],
    weights: NDArray[np.float64],
    start: NDArray[np.float32] | None,
    penalty: float,
) -> NDArray[np.float32]:
    """Fit one weight per role, so that the chosen colours are the likeliest; (roles, 1).

    `penalty` is L2, on the distance from `start` (None: from 0).
    """
    colours = np.array([int(names[0]) for names in chosen])
    shares = (weights / weights.sum()).astype(np.float32)
    centre = np.zeros(len(ROLES), dtype=np.float32) if start is None else start
    fitted = centre.copy()
    # A step of 1 against a penalty above 2 would leap over the centre, farther each time.
    size = 1 / max(1.0, penalty)
    for _ in range(200):
        likely = softmax(parts @ fitted)
        likely[np.arange(len(colours)), colours] -= 1
        fitted -= size * np.einsum("n,nc,ncr->r", shares, likely, parts)
        fitted -= size * penalty * (fitted - centre)
    return fitted[:, None]
