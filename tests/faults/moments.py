"""Faults at random moments of a run, and what they cost: nothing acknowledged, nothing twice.

`strike` kills or signals one kind of process; `disturb` carries a run through several of them and
compares it in the end with one that nobody disturbed.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.control import engine_alive, engine_process, launch
from tests.faults.ground import (
    Recorded,
    children,
    command_of,
    count,
    finish,
    recorded,
    state,
    wait_for_end,
    wait_until,
)

SEARCHING = ("engine", "zygote", "sandbox child", "policy worker", "SIGTERM", "SIGHUP")
"""Whom a fault can hit while a run is searching; signals go to the engine, the rest is killed."""
LEARNING = ("trainer", "engine while learning", "SIGTERM while learning")

_LOOK_SECONDS = 5.0


@dataclass
class Tally:
    """What some faults have cost; `moments` tells each of them in words, for a failing test."""

    faults: int = 0
    lost: int = 0
    doubled: int = 0
    untrue: int = 0
    moments: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.faults += other.faults
        self.lost += other.lost
        self.doubled += other.doubled
        self.untrue += other.untrue
        self.moments += other.moments

    def __str__(self) -> str:
        return (
            f"faults: {self.faults}, lost: {self.lost}, doubled: {self.doubled}, "
            f"untrue states: {self.untrue}"
        )


def disturb(
    folder: Path, kinds: Iterable[str], undisturbed: Recorded, dice: random.Random
) -> Tally:
    """Strike a new run once for each kind, at moments drawn at random, then let it finish."""
    tally = Tally()
    budget = len(undisturbed[0])
    drawn = list(kinds)
    dice.shuffle(drawn)
    searching = [kind for kind in drawn if kind in SEARCHING]
    for kind in drawn:
        if kind in LEARNING:
            _strike_learning(folder, kind, tally, dice)
    moments = sorted(dice.randrange(budget) for _ in searching)
    for moment, kind in zip(moments, searching, strict=True):
        if not engine_alive(folder):
            launch(folder)
        wait_until(lambda moment=moment: count(folder) >= moment or not engine_alive(folder))
        _strike_and_look(folder, kind, f"{kind} at {moment}", tally, dice)
    finish(folder)
    _compare(folder, undisturbed, tally)
    return tally


def _strike_and_look(folder: Path, kind: str, what: str, tally: Tally, dice: random.Random) -> None:
    process = engine_process(folder)
    before, _ = recorded(folder)
    if process is None or not strike(process, kind, dice):
        return  # the run was through before, or that kind of process was not there
    tally.faults += 1
    tally.moments.append(what)
    expected = {"engine": {"crashed", "finished"}, "SIGTERM": {"stopped", "finished"}}.get(kind)
    if expected is not None:
        wait_for_end(folder)
    shown = state(folder).state
    if shown not in (expected or {"running", "finished"}):
        tally.untrue += 1
        tally.moments.append(f"after {what} it is shown as {shown}")
    now, _ = recorded(folder)
    _count_losses(before, now, what, tally)


def _strike_learning(folder: Path, kind: str, tally: Tally, dice: random.Random) -> None:
    """Strike while the trainer runs. A trainer killed ends its engine with the reason on record."""
    if not engine_alive(folder):
        launch(folder)
    wait_until(lambda: _trainer(folder) is not None or not engine_alive(folder))
    time.sleep(dice.random())  # anywhere between reading the dataset and writing the checkpoint
    trainer, process = _trainer(folder), engine_process(folder)
    if trainer is None or process is None:
        return
    before, _ = recorded(folder)
    expected = {"crashed"}
    if kind == "trainer":
        trainer.kill()
    elif kind.startswith("SIGTERM"):
        os.kill(process, signal.SIGTERM)
        expected = {"stopped", "finished"}
    else:
        os.kill(process, signal.SIGKILL)
    wait_for_end(folder)
    shown = state(folder)
    tally.faults += 1
    tally.moments.append(kind)
    told = kind != "trainer" or "fit" in (shown.reason or "")
    if shown.state not in expected or not told:
        tally.untrue += 1
        tally.moments.append(f"after {kind} it is shown as {shown}")
    now, _ = recorded(folder)
    _count_losses(before, now, kind, tally)


def _trainer(folder: Path) -> psutil.Process | None:
    process = engine_process(folder)
    found = [] if process is None else children(process)
    return next((one for one in found if "-m engine.learning.trainers" in command_of(one)), None)


def strike(process: int, kind: str, dice: random.Random) -> bool:
    """Kill or signal one process of an engine; return whether there was one to hit."""
    if kind in ("engine", "SIGTERM", "SIGHUP"):
        number = {"engine": signal.SIGKILL}.get(kind) or signal.Signals[kind]
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return False
        return True
    deadline = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < deadline and psutil.pid_exists(process):
        targets = _targets(process, kind)
        if targets:
            try:
                dice.choice(targets).kill()
            except psutil.NoSuchProcess:
                continue  # a child of the sandbox lives for milliseconds
            return True
    return False


def _targets(process: int, kind: str) -> list[psutil.Process]:
    below = children(process)
    if kind == "policy worker":
        return [one for one in below if "spawn_main" in command_of(one)]
    zygotes = [one for one in below if "zygote.py" in command_of(one)]
    if kind == "zygote":
        return zygotes
    known = {one.pid for one in zygotes}
    return [one for one in below if one.pid not in known and _parent(one) in known]


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def _count_losses(before: dict, now: dict, what: str, tally: Tally) -> None:
    lost = [key for key, value in before.items() if now.get(key) != value]
    tally.lost += len(lost)
    if lost:
        tally.moments.append(f"after {what} {len(lost)} are lost or changed, first {lost[0]}")


def _compare(folder: Path, undisturbed: Recorded, tally: Tally) -> None:
    """Compare what a disturbed run has in the end with what it would have had undisturbed."""
    candidates, votes = recorded(folder)
    _count_losses(undisturbed[0], candidates, "the end", tally)
    more = candidates.keys() - undisturbed[0].keys()
    tally.doubled += len(more)
    wrong = [place for place, vote in undisturbed[1].items() if votes.get(place) != vote]
    tally.lost += len(wrong)
    if more or wrong:
        tally.moments.append(f"in the end {len(more)} candidates too many, votes {wrong} differ")
    if count(folder) != len(candidates):
        tally.doubled += abs(count(folder) - len(candidates))
        tally.moments.append("in the end the counters are not what is there")
    shown = state(folder).state
    if shown != "finished":
        tally.untrue += 1
        tally.moments.append(f"in the end it is shown as {shown}")
