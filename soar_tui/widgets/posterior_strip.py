"""An arm's posterior as a curve: the Beta density in braille, its mean and a Thompson draw marked.

What REX believes of an arm is Beta(α, β) over how good a repair of it will be (SOAR §5); the
strip runs from 0 to 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual.strip import Strip

from soar_tui.widgets.braille import ACROSS, DOWN, area_dots, codes, text
from soar_tui.widgets.palette import Palette
from soar_tui.widgets.strips import Part, fit

DRAW = "│"
_MEAN = Style(underline=True, bold=True)
_SHOWN = 0.015
"""Density below this share of its peak is left blank, so that a strip shows where the mass is."""


@lru_cache(maxsize=8192)
def density(alpha: float, beta: float, points: int) -> NDArray[np.float64]:
    """Return the density of Beta(alpha, beta) at `points` bin centres of 0..1, its peak being 1.

    Raises ValueError unless both parameters are positive and finite.
    """
    if not (0 < alpha < np.inf and 0 < beta < np.inf):
        raise ValueError(f"Beta({alpha}, {beta}): both parameters are positive and finite")
    x = (np.arange(points) + 0.5) / points
    logarithm = (alpha - 1) * np.log(x) + (beta - 1) * np.log1p(-x)
    shape: NDArray[np.float64] = np.exp(logarithm - logarithm.max())
    shape.setflags(write=False)
    return shape


def posterior(
    alpha: float,
    beta: float,
    width: int,
    palette: Palette,
    *,
    draw: float | None = None,
    height: int = 1,
) -> list[Strip]:
    """Draw the density, `height` lines of `width` cells, scaled to its own peak.

    The mean is underlined, the last Thompson draw (0..1) a bar.
    """
    if width <= 0:
        return [Strip([]) for _ in range(height)]
    mean, drawn = place(alpha / (alpha + beta), width), None if draw is None else place(draw, width)
    curve, ink = _curve(alpha, beta, width, height), palette.ink("primary")
    bar, foot = palette.ink("accent", bold=True), palette.ink("text") + _MEAN
    strips = []
    for y, line in enumerate(curve):
        marks: dict[int, Part] = {}
        if y == height - 1:
            marks[mean] = line[mean], foot
        if drawn is not None:
            marks[drawn] = DRAW, bar + _MEAN if drawn in marks else bar
        parts: list[Part] = []
        start = 0
        for x in sorted(marks):
            parts += [(line[start:x], ink), marks[x]]
            start = x + 1
        parts.append((line[start:], ink))
        strips.append(fit(parts, width))
    return strips


def place(share: float, width: int) -> int:
    """Return the cell in which a share 0..1 lies."""
    return max(0, min(width - 1, int(share * width)))


@lru_cache(maxsize=8192)
def _curve(alpha: float, beta: float, width: int, height: int) -> tuple[str, ...]:
    heights = density(alpha, beta, ACROSS * width)
    return tuple(text(codes(area_dots(np.where(heights < _SHOWN, 0, heights), DOWN * height))))
