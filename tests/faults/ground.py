"""What all fault tests stand on: tiny runs, what their archives acknowledge, their processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from engine.archive.reader import RunReader
from engine.config import Settings, load_settings, override, preset, save_settings
from engine.control import RunState, engine_alive, launch, run_state
from engine.control.folder import SETTINGS_NAME

TINY = override(
    preset("cpu"),
    {
        "tasks": "sample:4",
        "seed": 11,
        "tasks_in_flight": 3,
        "search.samples": 20,
        "search.wave": 5,
        "search.refinements": 20,
        "search.perfect_stop": 1000,
        "policy.workers": 1,
        "sandbox.workers": 1,
    },
)
"""A run of 160 programs, a few seconds of search."""
BUDGET = 4 * 40
LEARNED = override(
    TINY,
    {"tasks": "sample:2", "iterations": 2, "search.samples": 10, "search.refinements": 10},
)
"""A run that learns in between: 40 programs before and 40 after."""

Recorded = tuple[dict[int, Any], dict[tuple[int, int], Any]]


def new_run(folder: Path, settings: Settings = TINY) -> Path:
    """Make a run folder that no engine has been on."""
    folder.mkdir(parents=True)
    save_settings(settings, folder / SETTINGS_NAME)
    return folder


def wait_until(condition: Callable[[], object], seconds: float = 180.0) -> None:
    """Wait for what another process does. Raises AssertionError when it does not come about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def wait_for_end(folder: Path, seconds: float = 180.0) -> None:
    """Wait until no engine is on the folder."""
    wait_until(lambda: not engine_alive(folder), seconds)


def finish(folder: Path) -> None:
    """Let the run come to its end, with a new engine if none is on it."""
    if not engine_alive(folder):
        launch(folder)
    wait_for_end(folder)


def recorded(folder: Path) -> Recorded:
    """Return all candidates the archive acknowledges, by id, and all votes by iteration and task.

    Asserts that none is there twice and that the counters agree with the rows.
    """
    candidates: dict[int, Any] = {}
    votes: dict[tuple[int, int], Any] = {}
    with RunReader(folder) as reader:
        for iteration in reader.iterations():
            for row in reader.task_rows(iteration.index):
                pulls = reader.pulls(iteration.index, row.index)
                for pull, found in pulls:
                    for c in found:
                        assert c.id not in candidates, f"candidate {c.id} is there twice"
                        candidates[c.id] = (pull.number, pull.parent, c.source, c.evaluation)
                vote = reader.votes(iteration.index, row.index)
                if vote is not None:
                    ranked = [(v.outputs, v.weight, v.count) for v in vote.ranked]
                    votes[iteration.index, row.index] = ranked
    return candidates, votes


def count(folder: Path) -> int:
    """Return how many candidates the archive acknowledges by its counters."""
    with RunReader(folder) as reader:
        return sum(row.candidates for row in reader.iterations())


def state(folder: Path) -> RunState:
    """Return the state that commands and the app show."""
    with RunReader(folder) as reader:
        planned = load_settings(folder / SETTINGS_NAME).planned_iterations
        return run_state(folder, reader, planned)


def children(process: int) -> list[psutil.Process]:
    """Return all processes below one, none if it is gone."""
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def command_of(process: psutil.Process) -> str:
    """Return a process's command line, "" when it is gone or hides it."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
