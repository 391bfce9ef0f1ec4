"""Following a run until its engine ends: progress on stderr, and what Ctrl+C does meanwhile."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engine.figures.numbers import duration, of
from soar_tui.cli.errors import FAILED, INTERRUPTED, OK, UNFINISHED
from soar_tui.cli.standing import engine_status
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.archive.rows import TaskRow
    from engine.config import SearchConfig, Settings
    from engine.control import RunState

LOOK_SECONDS = 0.25
PLAIN_SECONDS = 10.0
CLEAR = 0.02
"""How much must be done before what is left can be told from it."""
RATE_SECONDS = 10.0
ALIVE = frozenset({"running", "paused", "draining", "stalled"})


class Interrupts:
    """Counts Ctrl+C while entered, so that each press means something and none kills."""

    def __init__(self) -> None:
        self.count = 0
        self._before: Callable[[int, FrameType | None], object] | int | None = None

    def __enter__(self) -> Interrupts:
        # A pipe, not an Event: the signal may come while this very thread holds the Event's lock,
        # and a handler that waits for that lock waits for ever.
        self._presses, self._press = os.pipe()
        os.set_blocking(self._press, False)
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        os.close(self._presses)
        os.close(self._press)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        with contextlib.suppress(BlockingIOError):
            os.write(self._press, b"!")

    def wait(self, seconds: float) -> None:
        """Wait; a press since the last wait, or one that comes, cuts it short."""
        if select.select([self._presses], [], [], seconds)[0]:
            os.read(self._presses, 4096)


@dataclass(frozen=True, slots=True)
class Glance:
    """What following shows of a run at one moment.

    `step` is what the engine is at, "search" or "learn"; `done` is how much of the iteration's budget is spent, 0..1, a task that ended early counting
    whole; `rate` is in candidates per second; `eta` in seconds, None while unclear.
    """

    state: RunState
    step: str
    iteration: int
    iterations: int
    tasks: int
    finished: int
    known: int
    solved: int | None
    candidates: int
    done: float
    rate: float | None
    eta: float | None


class Rate:
    """Candidates per second over the last RATE_SECONDS."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, count: int, now: float) -> float | None:
        """Note a count and return the rate, None until two moments are known."""
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[0][0] > RATE_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        return (count - before) / (now - then) if now > then else None


def glance(folder: Path, reader: RunReader, settings: Settings, rate: Rate) -> Glance:
    """Look at a run once."""
    from engine.control import run_state

    state = run_state(folder, reader, settings.planned_iterations)
    rows = reader.iterations()
    row = rows[-1] if rows else None
    candidates = sum(row.candidates for row in rows)
    done = 0.0
    if row is not None:
        done = _done(reader.task_rows(row.index), settings.search_at(row.index))
    eta = None
    if row is not None and done > CLEAR and state.state == "running":
        whole = engine_status(reader).seconds / done
        eta = whole * (1 - done + _ahead(settings, row.index, reader))
    return Glance(
        state=state,
        step=engine_status(reader).step,
        iteration=0 if row is None else row.index,
        iterations=settings.planned_iterations,
        tasks=len(reader.tasks()) if row is None else row.tasks,
        finished=0 if row is None else row.finished,
        known=0 if row is None else row.known,
        solved=None if row is None else row.solved,
        candidates=candidates,
        done=done,
        rate=rate.update(candidates, time.monotonic()),
        eta=eta,
    )


def _ahead(settings: Settings, iteration: int, reader: RunReader) -> float:
    """Return how many times an iteration's programs those after it have, at most."""
    training, tasks = reader.training_tasks(), len(reader.tasks())
    learning = settings.planned_iterations - settings.iterations

    def programs(index: int) -> int:
        search = settings.search_at(index)
        searched = training if index < learning else tasks - training or tasks
        return max(1, searched * (search.samples + search.refinements))

    later = range(iteration + 1, settings.planned_iterations)
    return sum(map(programs, later)) / programs(iteration)


def _done(rows: Sequence[TaskRow], search: SearchConfig) -> float:
    budget = max(1, search.samples + search.refinements)
    shares = [1.0 if row.state == "finished" else min(row.candidates / budget, 1) for row in rows]
    return sum(shares) / len(shares) if shares else 0.0


def follow(folder: Path, settings: Settings, interrupts: Interrupts, console: Console) -> Glance:
    """Show a run's progress until its engine has ended, or until Ctrl+C was pressed twice.

    The first Ctrl+C drains the engine: pulls under way finish and are archived, then it ends. The
    second leaves it draining. Errors of the run are shown as they happen.
    """
    from engine.archive.reader import RunReader
    from engine.control import send

    rate = Rate()
    drained = False
    with RunReader(folder) as reader, _display(console, folder.name) as show:
        past = reader.events(limit=1, newest=True)
        last_event = past[-1].id if past else 0
        while True:
            seen = glance(folder, reader, settings, rate)
            for event in reader.events(after=last_event, limit=100):
                last_event = event.id
                if event.level in ("error", "warning"):
                    console.print(Text(f"{event.level}: {one_line(event.text)}", style="red"))
            show(seen)
            if seen.state.state not in ALIVE or interrupts.count > 1:
                return seen
            if interrupts.count and not drained:
                drained = True
                send(folder, "drain")
                console.print(
                    "Ctrl+C: work under way finishes, then the engine ends "
                    "(Ctrl+C again: leave it to it)"
                )
            interrupts.wait(LOOK_SECONDS)


def ending(seen: Glance, interrupts: Interrupts) -> int:
    """Return the exit code a followed run ends with."""
    if interrupts.count:
        return INTERRUPTED
    return {"finished": OK, "crashed": FAILED}.get(seen.state.state, UNFINISHED)


@contextlib.contextmanager
def _display(console: Console, name: str) -> Iterator[Callable[[Glance], None]]:
    """Yield what shows a glance: two lines that stay in place, or now and then a line."""
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda seen: live.update(_panel(name, seen), refresh=True)
        return
    shown = time.monotonic()

    def show(seen: Glance) -> None:
        nonlocal shown
        if time.monotonic() - shown >= PLAIN_SECONDS:
            shown = time.monotonic()
            console.print(
                f"{_place(seen)}: {of(seen.finished, seen.tasks)} tasks, {_figures(seen)}"
            )

    yield show


def _panel(name: str, seen: Glance) -> Group:
    top = Table.grid(padding=(0, 1), expand=True)
    top.add_column(overflow="ellipsis", no_wrap=True, ratio=2)
    top.add_column(no_wrap=True)
    top.add_column(ratio=2)
    top.add_column(no_wrap=True, justify="right")
    top.add_row(
        Text(name, style="bold"),
        _place(seen),
        ProgressBar(total=1.0, completed=seen.done),
        _tasks(seen),
    )
    return Group(top, Text(_figures(seen), style="dim", overflow="ellipsis", no_wrap=True))


def _place(seen: Glance) -> str:
    return f"iteration {seen.iteration + 1}/{seen.iterations}"


def _tasks(seen: Glance) -> str:
    return f"{of(seen.finished, seen.tasks)} tasks"


def _figures(seen: Glance) -> str:
    solved = "truth unknown" if seen.tasks else "starting"
    if seen.solved is not None:
        solved = f"solved {of(seen.solved, min(seen.finished, seen.known))}"
    parts = [solved, f"{seen.candidates:,} candidates"]
    if seen.step != "search":
        parts.insert(0, seen.step)
    if seen.rate is not None and seen.state.state == "running":
        parts.append(f"{seen.rate:,.0f}/s")
    if seen.eta is not None:
        parts.append(f"ETA {duration(seen.eta)}")
    if seen.state.state == "stalled":
        parts.append(f"stalled: the engine is silent for {duration(seen.state.silent)}")
    elif seen.state.state != "running":
        parts.append(seen.state.state)
    return " · ".join(parts)
