"""The one poller: asks the archive what the visible place wants to know, and posts one answer.

A thread looks at the attached run ten times a second (twice over SSH). When something has changed
it answers the present question and posts one frozen frame; the next one is not made before the
app has taken that. Nobody asks on behalf of a hidden place. A question that is costly to answer
is asked less often, so that the feed takes at most a quarter of the time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from engine.archive import ArchiveError
from engine.archive.rows import IterationRow, Status
from engine.config import ConfigError, Settings
from engine.control import RunState, run_state
from soar_tui.open_run import OpenRun
from soar_tui.opening import remote
from soar_tui.pace import Pace

ROWS: Final = 2_000
"""Rows of the journal a turn reads at most."""

_LOCAL_SECONDS, _REMOTE_SECONDS = 0.1, 0.5
_STATE_SECONDS: Final = 0.5
_SHARE: Final = 4
T = TypeVar("T")


class Question(Protocol):
    """What a place wants to know; a value, equal to another one that wants the same."""

    def answer(self, run: OpenRun) -> object:
        """Read it. Runs in the feed's thread."""
        ...


class GlobalQuestion(Protocol):
    """A question about no run in particular."""

    def answer_without_run(self) -> object:
        """Read it. Runs in the feed's thread."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """How the attached run stands, for the line on top; `rate` is candidates per second."""

    folder: Path
    state: RunState
    iterations: int
    row: IterationRow | None
    candidates: int
    tasks: int
    rate: float | None
    settings: Settings
    statuses: Mapping[str, Status] = field(compare=False)
    """Not compared: a heartbeat alone is no reason to paint."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a question has no answer; the text is for the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment as the app shows it; `folder` is that of the run attached at that moment.

    `body` answers `question` where `answered`; else nothing but the header is new.
    """

    folder: Path | None
    header: Header | None
    question: Question | GlobalQuestion | None
    answered: bool
    body: object


class Feed:
    """Polls in a thread of its own from start() to stop().

    `post` is called from that thread with each frame; the app answers with taken(). `deliver` is
    called with what to do, in the app's thread, with something that was fetched; `fail` gets an
    error that is a defect of ours.
    """

    def __init__(
        self,
        post: Callable[[Frame], None],
        fail: Callable[[BaseException], None],
        deliver: Callable[[Callable[[], None]], None],
        *,
        seconds: float | None = None,
    ) -> None:
        self._post, self._fail, self._deliver = post, fail, deliver
        self._seconds = seconds or (_REMOTE_SECONDS if remote() else _LOCAL_SECONDS)
        self._wake = threading.Condition()
        self._folder: Path | None = None
        self._question: Question | GlobalQuestion | None = None
        self._every: float | None = None
        self._attached = self._asked = 0
        self._unanswered = self._awaiting = False
        self._stopping = False
        self._jobs: deque[tuple[Path | None, Callable[[OpenRun], Callable[[], None]]]] = deque()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def attach(self, folder: Path | None) -> None:
        """Look at another run from now on, or at the same one with all its files opened anew."""
        with self._wake:
            self._folder = folder
            self._attached += 1
            self._asked += 1
            self._unanswered = False
            self._wake.notify()

    def ask(
        self, question: Question | GlobalQuestion | None, *, every: float | None = None
    ) -> None:
        """Answer this question from now on, at once and whenever the run has changed.

        `every`: also after so many seconds, for what is not in the archive.
        """
        with self._wake:
            if self._unanswered and (question, every) == (self._question, self._every):
                return  # it is being read; Textual tells a new place twice that it is shown
            self._question, self._every = question, every
            self._asked += 1
            self._unanswered, self._awaiting = True, False
            self._wake.notify()

    def fetch(self, job: Callable[[OpenRun], T], then: Callable[[T | Trouble], None]) -> None:
        """Read something once, in the feed's thread; `then` gets it in the app's."""

        def whole(run: OpenRun) -> Callable[[], None]:
            got: T | Trouble
            try:
                got = job(run)
            except (ArchiveError, OSError) as error:
                got = Trouble(str(error))
            return lambda: then(got)

        with self._wake:
            self._jobs.append((self._folder, whole))
            self._wake.notify()

    def taken(self) -> None:
        """Say that the last frame has been shown."""
        with self._wake:
            self._awaiting = False
            self._wake.notify()

    # The thread

    def _run(self) -> None:
        watch = _Watch()
        try:
            while self._turn(watch):
                pass
        except Exception as error:
            self._fail(error)
        finally:
            watch.close()

    def _turn(self, watch: _Watch) -> bool:
        with self._wake:
            asked = self._asked
            if asked == watch.asked:
                self._wake.wait_for(
                    lambda: self._stopping or self._asked != asked or self._jobs,
                    timeout=self._seconds,
                )
            if self._stopping:
                return False
            asked, attached = self._asked, self._attached
            folder, question, every = self._folder, self._question, self._every
            jobs, self._jobs = self._jobs, deque()
            busy = self._awaiting and asked == watch.asked
        fresh = asked != watch.asked
        watch.turn_to(folder, attached, fresh=fresh)
        for place, job in jobs:
            done = watch.work(job) if place == folder else None
            if done is not None:
                self._deliver(done)
        if busy:
            return True
        frame = watch.look(question, every, fresh=fresh)
        watch.asked = asked
        with self._wake:
            if asked != self._asked:
                return True  # it answers what nobody asks any more
            self._unanswered = False
            self._awaiting = self._awaiting or frame is not None
        if frame is not None:
            self._post(frame)
        return True


class _Watch:
    """What the feed's thread remembers from turn to turn."""

    def __init__(self) -> None:
        self.asked = self._attached = 0
        self._run: OpenRun | None = None
        self._folder: Path | None = None
        self._trouble: Trouble | None = None
        self._header: Header | None = None
        self._version: int | None = None
        self._answered_version: int | None = None
        self._looked = self._answered = self._cost = 0.0
        self._pace = Pace()

    def close(self) -> None:
        if self._run is not None:
            self._run.close()
            self._run = None

    def work(self, job: Callable[[OpenRun], Callable[[], None]]) -> Callable[[], None] | None:
        """Do what was asked for once, on the run that is open."""
        return None if self._run is None else job(self._run)

    def turn_to(self, folder: Path | None, attached: int, *, fresh: bool) -> None:
        """Open the run of a folder, unless it is open since it was attached the last time."""
        missing = folder is not None and self._run is None
        if attached != self._attached or (missing and fresh):
            self._attached = attached
            self._open(folder)

    def look(
        self, question: Question | GlobalQuestion | None, every: float | None, *, fresh: bool
    ) -> Frame | None:
        """Return a frame if there is anything new to show."""
        now = time.monotonic()
        header, changed = self._look_at_header(now)
        due = every is not None and now - self._answered >= every
        moved = self._version != self._answered_version
        affordable = now - self._answered >= _SHARE * self._cost
        body, answered = None, False
        if question is not None and (fresh or ((moved or due) and affordable)):
            self._answered_version = self._version
            body, answered = self._answer(question), True
            self._answered = time.monotonic()
            self._cost = self._answered - now
        if not answered and not changed:
            return None
        return Frame(self._folder, header, question, answered, body)

    def _open(self, folder: Path | None) -> None:
        self.close()
        self._folder, self._trouble = folder, None
        self._header, self._version = None, None
        self._looked = 0.0
        self._pace.clear()
        if folder is None:
            return
        try:
            self._run = OpenRun(folder)
        except (ArchiveError, ConfigError, OSError) as error:
            self._trouble = Trouble(str(error))

    def _look_at_header(self, now: float) -> tuple[Header | None, bool]:
        run = self._run
        if run is None:
            return None, False
        before = self._header
        try:
            version = run.reader.data_version
            if version != self._version or now - self._looked >= _STATE_SECONDS:
                self._looked, self._version = now, version
                if run.reread_settings():
                    self._answered_version = None
                self._header = self._make_header(run, now)
        except (ArchiveError, OSError) as error:
            self._trouble = Trouble(str(error))
            return before, False
        self._trouble = None
        return self._header, self._header != before

    def _make_header(self, run: OpenRun, now: float) -> Header:
        rows = run.iterations()
        state = run_state(run.folder, run.reader, run.planned)
        candidates = sum(row.candidates for row in rows)
        rate = None
        if state.state in ("running", "draining"):
            rate = self._pace.see(candidates, now)
        else:
            self._pace.clear()
        if state.state != "stalled":
            # How long ago the last heartbeat was is news only when there should be one.
            state = RunState(state.state, None, state.reason)
        elif state.silent is not None:
            state = RunState(state.state, float(int(state.silent)), state.reason)
        tasks = rows[-1].tasks if rows else len(run.reader.tasks())
        return Header(
            folder=run.folder,
            state=state,
            iterations=run.planned,
            row=rows[-1] if rows else None,
            candidates=candidates,
            tasks=tasks,
            rate=rate,
            settings=run.settings,
            statuses=run.reader.statuses(),
        )

    def _answer(self, question: Question | GlobalQuestion) -> object:
        try:
            if hasattr(question, "answer_without_run"):
                return question.answer_without_run()
            if self._run is None:
                return self._trouble or Trouble("no run is attached")
            return question.answer(self._run)
        except (ArchiveError, OSError) as error:
            return Trouble(str(error))
