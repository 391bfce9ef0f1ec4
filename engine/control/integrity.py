"""Looking over a run folder: is everything there, whole, and does it agree with itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.archive.integrity import blob_faults, counter_faults, page_faults, reference_faults
from engine.archive.live import read_statuses
from engine.archive.reader import RunReader
from engine.archive.rows import VoteResult
from engine.archive.schema import ArchiveError, MissingFileError
from engine.config import ConfigError, Formula, Settings, load_settings
from engine.control.folder import SETTINGS_NAME
from engine.control.state import run_state
from engine.search.invariants import Invariants, invariants_of
from engine.search.vote import Tally, rank, tally_of, weight

OnProgress = Callable[[str, int, int | None], None]
"""Hears what is being looked at, how many of it are done, and of how many (None: unknown)."""

REPAIR = "soar-tui doctor RUN --repair writes what can be read into a new archive"
_MOST = 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `faults` are sentences, none when it is well.

    `repairable`: `repair` can mend it. `hint` says what to do about the faults.
    """

    name: str
    detail: str
    faults: tuple[str, ...] = ()
    repairable: bool = False
    hint: str | None = None

    @property
    def ok(self) -> bool:
        return not self.faults


def check_run(folder: Path, on_progress: OnProgress) -> Iterator[Check]:
    """Look over a run folder, one check after the other, without changing anything.

    settings · archive (only where it is missing or cannot be summed up) · pages (SQLite's own
    check) · references · blobs (each unpacks and is what it was stored as) · counters · votes (each
    is what its candidates add up to) · checkpoints (files there) · engine (lock, heartbeat, state).
    Where the archive does not open, what follows it is left out.
    """
    settings, check = _settings(folder)
    yield check
    try:
        RunReader(folder).close()
    except MissingFileError:
        yield Check("archive", "no engine has run here yet")
        return
    except ArchiveError as error:
        yield Check("archive", "cannot be opened", (str(error),))
        return
    counters = "counters"
    try:
        with RunReader(folder) as reader:
            counters += f" over {sum(row.candidates for row in reader.iterations()):,} candidates"
    except ArchiveError as error:
        yield Check("archive", "cannot be summed up", (str(error),), repairable=True, hint=REPAIR)
    looks: list[tuple[str, str, Callable[[], Iterator[str]]]] = [
        ("pages", "the archive's pages and indexes", lambda: page_faults(folder)),
        ("references", "rows that others refer to", lambda: reference_faults(folder)),
        (
            "blobs",
            "sources, results, outputs and replies",
            lambda: blob_faults(folder, lambda rows: on_progress("blobs", rows, None)),
        ),
        ("counters", counters, lambda: counter_faults(folder)),
    ]
    for name, detail, look in looks:
        on_progress(name, 0, None)
        faults = _told(look)
        yield Check(name, detail, faults, repairable=True, hint=REPAIR if faults else None)
    if settings is not None:
        distrusted = _told(
            lambda: (str(fault) for fault in vote_faults(folder, settings, on_progress))
        )
        yield Check(
            "votes",
            "votes against the candidates behind them",
            distrusted,
            repairable=True,
            hint=REPAIR if distrusted else None,
        )
    yield _checkpoints(folder)
    yield _engine(folder, settings)


@dataclass(frozen=True, slots=True)
class VoteFault:
    """A vote that is not what its candidates add up to."""

    iteration: int
    task: int
    text: str

    def __str__(self) -> str:
        return f"iteration {self.iteration}, task {self.task}: {self.text}"


def vote_faults(folder: Path, settings: Settings, on_progress: OnProgress) -> Iterator[VoteFault]:
    """Yield the votes that differ from the vote over the archived candidates, or cannot be read.

    The archive does not say with which `vote.c` a vote was taken, and a run may go on with another:
    any c that explains all of a vote's weights will do. Raises ArchiveError.
    """
    with RunReader(folder) as reader:
        for iteration in reader.iterations():
            finished = sorted(reader.finished(iteration.index))
            for done, task in enumerate(finished):
                on_progress("votes", done, len(finished))
                fault = _search_fault(reader, iteration.index, task, settings.vote.c)
                if fault is not None:
                    yield VoteFault(iteration.index, task, fault)


def _search_fault(reader: RunReader, iteration: int, task: int, c: float) -> str | None:
    """Return what is wrong with the vote of a search, or None."""
    invariants = invariants_of(reader.tasks()[task])
    try:
        vote = reader.votes(iteration, task)
        if vote is None:
            return None
        tallies = [tally_of(row) for row in reader.tallies(iteration, task)]
    except ArchiveError as error:
        return str(error)
    formula = cast(Formula, vote.formula)
    fault = _vote_fault(vote, rank(tallies, formula, c, invariants))
    if fault is None:
        return None
    other = _c_of(vote, tallies, formula, invariants)
    if other is None or _vote_fault(vote, rank(tallies, formula, other, invariants)) is not None:
        return fault
    return None


def _c_of(
    vote: VoteResult, tallies: Sequence[Tally], formula: Formula, invariants: Invariants
) -> float | None:
    """Return the c with which a vote can have been taken, by the pattern that it weighs most in.

    None: its weights do not depend on c, or there is none that the settings would take.
    """
    voted = {b"".join(row.outputs): row.weight for row in vote.ranked}
    best: tuple[float, float] | None = None
    for tally in tallies:
        without = weight(tally, formula, 0.0, invariants)
        # Every formula is linear in c.
        per_c = weight(tally, formula, 1.0, invariants) - without
        if tally.pattern in voted and per_c > 0.0 and (best is None or per_c > best[0]):
            best = per_c, (voted[tally.pattern] - without) / per_c
    return best[1] if best is not None and 0.0 <= best[1] < math.inf else None


def _vote_fault(vote: VoteResult, counted: Sequence[tuple[Tally, float]]) -> str | None:
    ranked = {tally.pattern: (tally, weight) for tally, weight in counted}
    if len(ranked) != len(vote.ranked):
        return f"{len(vote.ranked)} patterns were voted on, the candidates have {len(ranked)}"
    for row in vote.ranked:
        if b"".join(row.outputs) not in ranked:
            return f"rank {row.rank} is a pattern that no candidate has"
        tally, weight = ranked[b"".join(row.outputs)]
        if tally.count != row.count or abs(weight - row.weight) > 1e-9 * max(1.0, abs(weight)):
            return (
                f"rank {row.rank} says {row.count} candidates of weight {row.weight:g}, there are "
                f"{tally.count} of weight {weight:g}"
            )
    return None


def _told(look: Callable[[], Iterator[str]]) -> tuple[str, ...]:
    """Return a look's faults; that it cannot be made is one of them."""
    told: list[str] = []
    try:
        for fault in look():
            told.append(fault)
            if len(told) > _MOST:
                break
    except ArchiveError as error:
        told.append(str(error))
    return tuple(told)


def _settings(folder: Path) -> tuple[Settings | None, Check]:
    try:
        settings = load_settings(folder / SETTINGS_NAME)
    except ConfigError as error:
        hint = "put the file right by hand; docs/settings.md names the settings"
        return None, Check("settings", SETTINGS_NAME, (str(error),), hint=hint)
    return settings, Check("settings", f"{SETTINGS_NAME} can be read")


def _checkpoints(folder: Path) -> Check:
    try:
        with RunReader(folder) as reader:
            recorded = reader.checkpoints()
    except ArchiveError as error:
        why = (str(error),)
        return Check("checkpoints", "cannot be listed", why, repairable=True, hint=REPAIR)
    gone = [row for row in recorded if not (folder / row.path).exists()]
    detail = f"{len(recorded)} recorded, {len(recorded) - len(gone)} there"
    if not gone or gone[-1] is not recorded[-1]:
        return Check("checkpoints", detail)
    fault = f"{gone[-1].path}, the last one learned, is not there"
    hint = "an engine that goes on needs it: copy it back into the folder"
    return Check("checkpoints", detail, (fault,), hint=hint)


def _engine(folder: Path, settings: Settings | None) -> Check:
    try:
        statuses = read_statuses(folder)
    except ArchiveError as error:
        hint = "live.db and control.db hold nothing that lasts: --repair puts them aside"
        return Check("engine", "cannot be told", (str(error),), repairable=True, hint=hint)
    try:
        with RunReader(folder) as reader:
            planned = 1 if settings is None else settings.planned_iterations
            shown = run_state(folder, reader, planned)
    except ArchiveError as error:
        return Check("engine", "cannot be told", (str(error),), repairable=True, hint=REPAIR)
    said = statuses.get("engine")
    process = said.value.get("process") if said and isinstance(said.value, dict) else None
    detail = f"the run is {shown.state}"
    if shown.reason:
        detail += f": {shown.reason}"
    if shown.state == "crashed":
        return Check("engine", detail, hint="soar-tui resume RUN goes on where it was")
    if shown.state == "stalled":
        fault = (
            f"process {process} holds the lock and gave no sign of life for {shown.silent:.0f} s"
        )
        hint = "it may be stopped or starved; kill it and resume, nothing recorded is lost"
        return Check("engine", detail, (fault,), hint=hint)
    return Check("engine", detail)
