"""The zygote's loop: requests from the engine, children for the programs, frames back."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.programs.sandbox import frames
from engine.programs.sandbox.child import KILLED, Child, EngineGoneError, Item, Work, progress

OUTBOX = 4 << 20
_HALF = OUTBOX // 2
_BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request's limits and contents; offsets are into the inbox.

    `cpu` is CPU seconds per program in the fast lane (`after_hang` is 0) and per grid in the slow
    lane, where a program that has used it up on one grid gets `after_hang` for each grid left.
    `stuck` is seconds a child may go without using any CPU.
    """

    job: int
    cpu: float
    after_hang: float
    stuck: float
    sets: Sequence[tuple[int, int, int]]
    items: Sequence[Item]

    @property
    def fast(self) -> bool:
        """Whether this is the fast lane."""
        return self.after_hang == 0


class BrokenFrameError(Exception):
    """A child sent what no child of ours sends."""


class Server:
    """Serves one engine over one socket until the engine goes; never runs a program itself."""

    def __init__(
        self,
        descriptor: int,
        inbox: memoryview,
        outbox: memoryview,
        lock_down: Callable[[], None],
        *,
        share: bool,
    ) -> None:
        self._descriptor = descriptor
        self._inbox = inbox
        self._outbox = outbox
        self._lock_down = lock_down
        self._share = share
        self._filled = 0  # bytes of the outbox read from a child
        self._parsed = 0  # of these, whole frames that were accepted
        self._sent = 0  # of these, passed on or dropped

    def serve(self) -> None:
        """Answer requests one after another. Returns when the engine closes its end."""
        while True:
            length = bytearray(4)
            if not self._receive(memoryview(length), 4):
                return
            size = frames.LENGTH.unpack(length)[0]
            if size > len(self._inbox) or not self._receive(self._inbox, size):
                return
            try:
                self._answer(parse_request(self._inbox))
            except EngineGoneError:
                return

    def _child(self, work: Work, *, share: bool) -> Child:
        return Child(work, self._inbox, self._descriptor, self._lock_down, share=share)

    def _receive(self, place: memoryview, size: int) -> bool:
        got = 0
        while got < size:
            part = os.readv(self._descriptor, [place[got:size]])
            if not part:
                return False
            got += part
        return True

    def _answer(self, request: Request) -> None:
        alone = [item for item in request.items if item.alone]
        batch = [item for item in request.items if not item.alone]
        while batch:
            batch = self._run_batch(request, batch, alone)
        for item in alone:
            self._run_alone(request, item)

    def _run_batch(self, request: Request, items: list[Item], alone: list[Item]) -> list[Item]:
        """Run one child on the items; returns those for the next child, adds those to be alone."""
        start, end = request.sets[0][0], request.sets[-1][1]
        work = Work(items, self._inbox[start:end], len(request.sets), 0, alone=False)
        progress[:2] = bytes(2)
        child = self._child(work, share=self._share)
        done, broken, timed_out = 0, False, False
        clock = Clock(child, request.cpu, request.stuck)
        try:
            while done < len(items):
                if not self._read(child, clock):
                    timed_out = clock.over
                    break
                while done < len(items) and (frame := self._next_frame()):
                    stop, number, kind = frame
                    _expect(number == items[done].number)
                    if kind == frames.DECLINED:
                        self._drop(stop)
                        alone.append(items[done])
                    else:
                        _expect(kind == frames.SHARED)
                        self._pass_on(stop, request.job, kind)
                    done += 1
                clock.restart(request.cpu)
        except BrokenFrameError:
            broken = True
        self._forget_rest()
        self._flush()
        how = child.end()
        if done == len(items):
            return []
        if done and not broken and not timed_out and how.startswith("exited with status 0 "):
            return items[done:]  # it ended the batch itself, for its memory had grown
        culprit = min(max(done, self._progress()), len(items) - 1)
        if timed_out:
            self._say(request.job, items[culprit].number, frames.SLOW)
        else:
            alone.append(items[culprit])
        return items[done:culprit] + items[culprit + 1 :]

    @staticmethod
    def _progress() -> int:
        return int.from_bytes(progress[:2], "little")

    def _run_alone(self, request: Request, item: Item) -> None:
        """Run one program in children of its own: a grid that hangs or crashes costs itself.

        What was killed is done again, once: a locked-down child cannot have done that itself.
        """
        start, end, number_of_grids = request.sets[item.set]
        began, first, cpu, killed = 0, 0, request.cpu, False
        while first < number_of_grids:
            work = Work([item], self._inbox[start:end], 1, began, alone=True)
            child = self._child(work, share=False)
            broken, defined, grid = False, False, began
            clock = Clock(child, cpu, request.stuck)
            try:
                while first < number_of_grids:
                    if not self._read(child, clock):
                        break
                    while first < number_of_grids and (frame := self._next_frame()):
                        stop, number, kind = frame
                        _expect(number == item.number)
                        if kind == frames.DEFINED:
                            _expect(not defined)
                            defined = True
                            self._drop(stop)
                            continue
                        _expect(kind == frames.ALONE)
                        if grid < first:
                            self._drop(stop)  # the killed child before has answered this one
                        else:
                            self._pass_on(stop, request.job, kind)
                            first += 1
                        grid += 1
                        if not request.fast:
                            clock.restart(cpu)
            except BrokenFrameError:
                broken = True
            self._forget_rest()
            self._flush()
            how = child.end()
            if first == number_of_grids:
                return
            if broken:
                failure = frames.encode_failure("crash", "sent what no program sends")
            elif clock.over and request.fast:
                self._say(request.job, item.number, frames.SLOW)
                return
            elif clock.over:
                failure = frames.encode_failure("timeout", clock.verdict)
                cpu = request.after_hang
            elif how == KILLED and not killed:
                killed = True
                continue  # from where it began, for a program may remember the grids before
            else:
                failure = frames.encode_failure("crash", how)
            grids = 1 if defined else number_of_grids - first
            for _ in range(grids):
                self._say(request.job, item.number, frames.ALONE, failure)
            began = first = first + grids

    def _read(self, child: Child, clock: Clock) -> bool:
        """Read until there is a whole frame; False when the child has ended or its time is over.

        The clock is looked at however little and often a child writes. Raises BrokenFrameError.
        """
        while not clock.check():
            if clock.beat():
                self._say(0, 0, frames.BEAT)
            if not child.readable(clock.left()):
                continue
            self._make_room()
            size = os.readv(child.outlet, [self._outbox[self._filled :]])
            if not size:
                return False
            self._filled += size
            if self._next_frame():
                return True
        return False

    def _make_room(self) -> None:
        if self._filled > _HALF:
            self._flush()
            rest = self._filled - self._parsed
            self._outbox[:rest] = bytes(self._outbox[self._parsed : self._filled])
            self._filled, self._parsed, self._sent = rest, 0, 0

    def _next_frame(self) -> tuple[int, int, int] | None:
        """Return (end, program, kind) of the whole frame after the last one accepted, if it is there.

        It counts for nothing until it is passed on or dropped. Raises BrokenFrameError.
        """
        place = self._parsed
        if self._filled - place < frames.HEADER.size:
            return None
        size, _, number, kind = frames.HEADER.unpack_from(self._outbox, place)
        if size > frames.MAX_PAYLOAD:
            raise BrokenFrameError
        if self._filled - place < frames.HEADER.size + size:
            return None
        return place + frames.HEADER.size + size, number, kind

    def _pass_on(self, stop: int, job: int, kind: int) -> None:
        """Accept the frame that ends there as ours: our job, and the kind we know it to be.

        Raises BrokenFrameError when it is empty.
        """
        _expect(stop > self._parsed + frames.HEADER.size)
        struct.pack_into("<I", self._outbox, self._parsed + 4, job)
        self._outbox[self._parsed + 10] = kind
        self._parsed = stop

    def _drop(self, stop: int) -> None:
        """Accept the frame that ends there, and keep it from the engine."""
        self._flush()
        self._parsed = self._sent = stop

    def _flush(self) -> None:
        self._send(self._outbox[self._sent : self._parsed])
        self._sent = self._parsed

    def _forget_rest(self) -> None:
        """Drop what the child sent after the last frame taken."""
        self._filled = self._parsed

    def _say(self, job: int, number: int, kind: int, payload: bytes = b"") -> None:
        self._flush()
        self._send(memoryview(frames.HEADER.pack(len(payload), job, number, kind) + payload))

    def _send(self, view: memoryview) -> None:
        left = view
        while left:
            left = left[os.write(self._descriptor, left) :]


def _expect(ours: bool) -> None:
    if not ours:
        raise BrokenFrameError


class Clock:
    """What is left of a child's time: CPU seconds, and wall seconds without using any."""

    def __init__(self, child: Child, cpu: float, stuck: float) -> None:
        self._child = child
        self._stuck = stuck
        self._limit = cpu
        self._start = self._used = child.cpu()
        self._moved = self._beat = time.monotonic()
        self.over = False
        self.verdict = ""

    def restart(self, cpu: float) -> None:
        """Give the next program or grid its time."""
        self._limit = cpu
        self._start = self._used = self._child.cpu()
        self._moved = time.monotonic()

    def left(self) -> float:
        """Seconds that surely pass before the CPU limit is reached, at most one beat."""
        return min(_BEAT_SECONDS, max(0.0, self._limit - (self._used - self._start)))

    def check(self) -> bool:
        """Look at the clocks; True, with a verdict, when the time is over."""
        used, now = self._child.cpu(), time.monotonic()
        if used > self._used:
            self._used, self._moved = used, now
        if used - self._start >= self._limit:
            self.over, self.verdict = True, f"used up {self._limit:g} s of CPU"
        elif now - self._moved >= self._stuck:
            self.over, self.verdict = True, f"did nothing for {self._stuck:g} s"
        return self.over

    def beat(self) -> bool:
        """Whether it is time to tell the engine that we live."""
        now = time.monotonic()
        if now - self._beat < _BEAT_SECONDS:
            return False
        self._beat = now
        return True


def parse_request(view: memoryview) -> Request:
    """Read a request frame's body from the inbox."""
    job, cpu, after_hang, stuck, number_of_sets, programs = frames.REQUEST.unpack_from(view)
    place = frames.REQUEST.size
    sets = []
    for _ in range(number_of_sets):
        start, number_of_grids = place, view[place]
        place += 1
        for _ in range(number_of_grids):
            place += 2 + view[place] * view[place + 1]
        sets.append((start, place, number_of_grids))
    items = []
    for number in range(programs):
        grid_set, alone, length = frames.PROGRAM.unpack_from(view, place)
        place += frames.PROGRAM.size
        items.append(Item(number, grid_set, bool(alone), place, length))
        place += length
    return Request(job, cpu, after_hang, stuck, sets, items)
