"""The statistics: bootstrap intervals over tasks, pass@k without bias, McNemar's exact test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over tasks with its 95 % bootstrap interval, in the mean's unit."""

    value: float
    """The mean."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


def estimate(values: ArrayLike) -> Estimate | None:
    """Return the mean over tasks with its interval; None of no tasks."""
    return estimates(np.asarray(values, dtype=np.float64).reshape(-1, 1))[0]


def estimates(values: NDArray[np.float64]) -> list[Estimate | None]:
    """Return the mean and interval of each column of `values`, shape (tasks, figures).

    Percentile bootstrap: tasks are drawn with replacement RESAMPLES times, the same draws for all
    figures, from a fixed seed, so the same archive always gives the same interval. No tasks: None.
    """
    tasks, figures = values.shape
    if tasks == 0:
        return [None] * figures
    means = np.asarray(values, dtype=np.float64).mean(axis=0)
    edges = (100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2)
    low, high = np.percentile(_draws(tasks) @ values / tasks, edges, axis=0)
    return [
        Estimate(float(mean), min(float(first), float(mean)), max(float(last), float(mean)))
        for mean, first, last in zip(means, low, high, strict=True)
    ]


@lru_cache(maxsize=8)
def _draws(tasks: int) -> NDArray[np.float64]:
    """Return how often each resample holds each task: shape (RESAMPLES, tasks)."""
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(tasks, np.full(tasks, 1 / tasks), size=RESAMPLES).astype(np.float64)


def pass_at_k(candidates: int, right: int, k: int) -> float:
    """Return the chance that k of the candidates, drawn without replacement, hold a right one.

    1 - C(n - c, k) / C(n, k), without bias (Chen et al. 2021, "Evaluating Large Language Models
    Trained on Code", §2.1). A search of fewer than k candidates counts with all it has. Raises
    ValueError for counts that contradict each other.
    """
    if not 0 <= right <= candidates or k < 1:
        raise ValueError(f"{right} of {candidates} candidates right, k = {k}")
    drawn = min(k, candidates)
    if candidates - right < drawn:
        return 1.0 if right else 0.0
    kept = np.arange(candidates - right + 1, candidates + 1, dtype=np.float64)
    return 1.0 - float(np.exp(np.log1p(-drawn / kept).sum())) if right else 0.0


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided exact p-value of McNemar's test from the two discordant counts.

    Under the null hypothesis a task solved by one of the two runs only is as likely to be solved
    by either: 2 · P(X ≤ min) for X ~ Binomial(n, ½), at most 1; 1 where no task tells them apart.
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(discordant, count) for count in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << discordant))


def moving_average(
    values: Sequence[float], weights: Sequence[float], span: float
) -> NDArray[np.float64]:
    """Return the exponential moving average after each value.

    A value of weight w (its completions) moves the average by 1 - (1 - 2/(span + 1))^w, so that
    `span` is in completions; it starts at the first value.
    """
    keep = 1.0 - 2.0 / (span + 1.0)
    smoothed = np.zeros(len(values))
    held = float(values[0]) if len(values) else 0.0
    for place, (value, weight) in enumerate(zip(values, weights, strict=True)):
        held += (1.0 - keep**weight) * (value - held)
        smoothed[place] = held
    return smoothed
