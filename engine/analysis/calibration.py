"""Calibration: whether a pattern that holds 80 % of the vote's weight is right 80 % of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.analysis.record import SearchRecord

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Tasks whose heaviest pattern holds a share of the weight in (low, high]."""

    low: float
    """The share it begins above."""
    high: float
    """The share it ends with."""
    tasks: int
    """How many tasks are in it."""
    share: float
    """Mean over them of the heaviest pattern's share of the weight."""
    right: float
    """Share of them whose heaviest pattern is right on every test input."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the heaviest pattern's share of the weight foretells that it is right."""

    tasks: int
    """Tasks of known truth that have a vote; others are left out."""
    error: float
    """Expected calibration error: Σ tasks/n · |right - share| over ten bins (Guo et al. 2017, §2)."""
    brier: float
    """Brier score, the mean over tasks of (share - right)²."""
    bins: tuple[CalibrationBin, ...]
    """The bins that hold tasks, lowest first."""


def calibrate(records: Sequence[SearchRecord]) -> Calibration | None:
    """Return the calibration over searches of known truth; None where none has a vote."""
    held = [
        (record.share, record.first_right)
        for record in records
        if record.share is not None and record.first_right is not None
    ]
    if not held:
        return None
    sorted_in: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for share, right in held:
        sorted_in[min(BINS - 1, max(0, -int(-share * BINS // 1) - 1))].append((share, right))
    bins = tuple(
        CalibrationBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            tasks=len(inside),
            share=sum(share for share, _ in inside) / len(inside),
            right=sum(right for _, right in inside) / len(inside),
        )
        for place, inside in enumerate(sorted_in)
        if inside
    )
    return Calibration(
        tasks=len(held),
        error=sum(one.tasks * abs(one.right - one.share) for one in bins) / len(held),
        brier=sum((share - right) ** 2 for share, right in held) / len(held),
        bins=bins,
    )
