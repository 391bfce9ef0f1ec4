"""What the sandbox says of itself: its isolation level, its layers and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.config import Level

WALLS: Final = ("seccomp", "rlimits", "no_new_privs", "probe")
"""Layers without which the sandbox is weak."""
DEPTH: Final = ("landlock", "namespaces")
"""Layers of which strong needs one; root must give up its user as well."""
LEVELS: Final[tuple[Level, ...]] = ("weak", "reduced", "strong")


class SandboxError(RuntimeError):
    """A sandbox that cannot be used; the message says what to install or to allow."""


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """The sandbox at one moment.

    `layers` holds "on" or the reason it is off, by layer. `workers` counts zygotes that are up,
    `programs` programs judged since the start, `kills` children ended before their time by reason
    ("timeout", "memory", "crash"), `queued` programs waiting or running, `mismatches` programs
    whose own fork gave other results than their batch, `restarts` zygotes started again.
    """

    level: Level
    layers: Mapping[str, str]
    workers: int
    programs: int
    kills: Mapping[str, int]
    queued: int
    mismatches: int
    restarts: int


def level_of(layers: Mapping[str, str], *, as_root: bool) -> Level:
    """Return the isolation level that these layers amount to."""
    on = {layer for layer, state in layers.items() if state == "on"}
    if not on.issuperset(WALLS):
        return "weak"
    if not on.intersection(DEPTH) or (as_root and "uid" not in on):
        return "reduced"
    return "strong"


def refusal(level: Level, layers: Mapping[str, str], minimum: Level) -> str | None:
    """Return why this level is not enough, and what to do about it; None when it is."""
    if LEVELS.index(level) >= LEVELS.index(minimum):
        return None
    missing = [
        f"{layer}: {layers.get(layer, 'not tried')}"
        for layer in (*WALLS, *DEPTH, "uid")
        if layers.get(layer) != "on"
    ]
    return (
        f"the sandbox reaches only level {level!r} here, and sandbox.minimum is {minimum!r} "
        f"({'; '.join(missing)}). Run on Linux 5.13 or later, x86_64 or aarch64, in a container "
        f'that allows seccomp, or allow it with sandbox.minimum = "{level}"'
    )
