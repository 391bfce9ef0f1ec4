"""A series of numbers in one line."""

from __future__ import annotations

import math
from collections.abc import Sequence

_STEPS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int, *, top: float | None = None) -> str:
    """Draw values in `width` characters, the newest at the right, `top` being full height.

    More values than characters are drawn as the greatest of each group; a value that is not
    finite leaves a gap.
    """
    if width <= 0:
        return ""
    if len(values) > width:
        # Groups are counted from the newest, so that an old one never changes when one is added.
        size = math.ceil(len(values) / width)
        start = len(values) % size
        groups = [values[:start]] if start else []
        groups += [values[place : place + size] for place in range(start, len(values), size)]
        values = [max(filter(math.isfinite, group), default=math.nan) for group in groups]
    known = [value for value in values if math.isfinite(value)]
    most = max(known, default=0.0) if top is None else top
    return "".join(_step(value, most) for value in values).rjust(width)


def _step(value: float, most: float) -> str:
    if not math.isfinite(value):
        return " "
    if most <= 0 or value <= 0:
        return _STEPS[0]
    return _STEPS[min(len(_STEPS) - 1, int(value / most * (len(_STEPS) - 1) + 0.5))]
