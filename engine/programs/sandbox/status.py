"""What the sandbox says of itself: its isolation level, its layers and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.config import Level
from engine.programs.sandbox.layers import NOT_ROOT

WALLS: Final = ("seccomp", "rlimits", "no_new_privs", "probe")
"""Layers without which the sandbox is weak."""
DEPTH: Final = ("landlock", "namespaces")
"""Layers of which strong needs one; root must give up its user as well."""
_LINUX: Final = "Linux on x86_64 or aarch64 (elsewhere a Linux container or virtual machine)"
_NEEDS: Final = {
    "seccomp": f"{_LINUX}, in a container whose profile allows seccomp, as Docker's own does",
    "rlimits": _LINUX,
    "no_new_privs": _LINUX,
    "probe": "the layers above it",
    "landlock": "Linux 5.13 or later with landlock in the kernel's lsm= list, or else namespaces",
    "namespaces": "user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces"
    " above 0, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0), or else landlock",
    "uid": "the capabilities SETUID and SETGID, or an engine started by an ordinary user",
}
"""Layer: what to install or to allow for it."""
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
    wanted = [layer for layer in WALLS if layers.get(layer) != "on"]
    if minimum == "strong":
        if not any(layers.get(layer) == "on" for layer in DEPTH):
            wanted += DEPTH
        if layers.get("uid") != "on" and not layers.get("uid", "").startswith(NOT_ROOT):
            wanted.append("uid")
    missing = "; ".join(
        f"{layer}: {layers.get(layer, 'not tried')}, needs {_NEEDS[layer]}" for layer in wanted
    )
    return (
        f"the sandbox reaches only level {level!r} here, and sandbox.minimum is {minimum!r} "
        f'({missing}). Give it that, or allow less with sandbox.minimum = "{level}": '
        "docs/security.md says what a program could do then"
    )
