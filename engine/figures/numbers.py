"""Figures as people read them: thousands separated, durations in words, shares with their whole."""

from __future__ import annotations

import time


def duration(seconds: float | None) -> str:
    """Return a duration, e.g. `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def age(moment: float | None) -> str:
    """Return roughly how long ago a Unix time was, e.g. `42 s ago`, `3 min ago`, `2 d ago`."""
    if moment is None:
        return "–"
    seconds = max(0, round(time.time() - moment))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def size(count: int) -> str:
    """Return a number of bytes in the unit that keeps it short."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def percent(share: float | None) -> str:
    """Return a share 0..1 as a percentage; what is there but rounds to nothing is `<1 %`."""
    if share is None:
        return "–"
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def of(part: int | None, whole: int) -> str:
    """Return a part with its whole; `?` where the part is not known."""
    return f"{'?' if part is None else f'{part:,}'} of {whole:,}"


def count(number: float | None) -> str:
    """Return a whole number with its thousands separated."""
    return "–" if number is None else f"{number:,.0f}"


def short(number: float) -> str:
    """Return a number below 10¹⁵ in at most five characters, e.g. `950`, `9.5k`, `120k`, `2.4M`."""
    if abs(number) < 999.5:
        return f"{number:.0f}"
    for unit in ("k", "M", "G"):
        number /= 1000
        # 9.95 would round up to 10.0, one character too many.
        if abs(number) < 9.95:
            return f"{number:.1f}{unit}"
        if abs(number) < 999.5:
            return f"{number:.0f}{unit}"
    number /= 1000
    return f"{number:.1f}T" if abs(number) < 9.95 else f"{number:.0f}T"


def rate(per_second: float | None) -> str:
    """Return how often something happens, per second or, when slow, per minute."""
    if per_second is None:
        return "–"
    if per_second >= 10 or per_second == 0:
        return f"{per_second:,.0f}/s"
    if per_second >= 1:
        return f"{per_second:.1f}/s"
    return f"{60 * per_second:.1f}/min"


def money(amount: float) -> str:
    """Return an amount of money, small ones with two digits that say something, e.g. `0.00042`."""
    if amount and abs(amount) < 1:
        return f"{amount:.2g}" if abs(amount) >= 0.0001 else f"{amount:.1e}"
    return f"{amount:,.2f}"


def ratio(part: int | None, whole: int) -> str:
    """Return a percentage with its denominator, e.g. `67 % (2 of 3)`; `?` where not known."""
    if part is None or whole == 0:
        return f"? ({of(part, whole)})"
    return f"{100 * part / whole:.0f} % ({of(part, whole)})"
