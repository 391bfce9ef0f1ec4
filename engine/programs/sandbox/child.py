"""A child of the zygote: its birth, its lock-down and its work; the zygote's handle on it.

A child gets its grids and sources over a pipe, drops every other descriptor, and answers with
frames on one descriptor. The zygote holds programs and results only in memory that forks see as
zeros, so a child can read no program but its own batch's.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.programs.sandbox import evaluate, frames, gate, kernel, layers
from engine.programs.sandbox.parts import Parts

OUTLET = 3
"""The one descriptor a child keeps."""
KILLED = "killed by SIGKILL"
"""How a child ended that was killed from outside, or that had to be killed by us."""
PROTECTED = "protected memory"
_HELD_SECONDS = 0.004
"""How long a batch's child holds results back, to send several at once."""
BATCH_GROWTH_KB = 128 << 10
"""A batch ends when its child's peak memory has grown by this; the rest go on in a new child."""

_WIPE_ON_FORK = 18
_MOST_PARTS = 512
_LINUX = sys.platform.startswith("linux")
_libc = ctypes.PyDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Item:
    """A program as the zygote knows it: its number in the job, and where its bytes lie."""

    number: int
    set: int
    alone: bool
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Work:
    """What one child is to do: items, grid sets' bytes, the first grid, alone or as a batch."""

    items: Sequence[Item]
    sets: memoryview
    number_of_sets: int
    first: int
    alone: bool


progress = mmap.mmap(-1, mmap.PAGESIZE)
"""Shared with each child in turn: the position in its batch of the program it is at."""


class EngineGoneError(Exception):
    """The engine has closed its end: nobody wants the rest."""


def private_memory(size: int) -> tuple[memoryview, str]:
    """Return memory whose contents no forked child sees, and "on" or why they do."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        memory.madvise(_WIPE_ON_FORK)
    except (OSError, ValueError, AttributeError) as error:
        return memoryview(memory), f"memory cannot be wiped on fork: {error}"
    return memoryview(memory), "on"


def fork() -> int:
    """Fork without the interpreter's hooks, which alone touch hundreds of pages."""
    pid = _libc.fork() if _LINUX else os.fork()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return int(pid)


class Child:
    """One forked child, from its birth to its reaping."""

    def __init__(
        self,
        work: Work,
        inbox: memoryview,
        engine: int,
        lock_down: Callable[[], None],
        *,
        share: bool,
    ) -> None:
        outlet, write = os.pipe()
        read, inlet = os.pipe()
        self.pid = fork()
        if self.pid == 0:
            try:
                os.close(inlet)
                _main(work, read, write, lock_down, share=share)
            finally:
                os._exit(77)
        os.close(write)
        os.close(read)
        self.outlet = outlet
        self._clock = (~self.pid << 3) | 2
        self._poll = select.poll()
        self._poll.register(outlet, select.POLLIN)
        self._poll.register(engine, 0)  # of the engine's end only its closing is of interest
        self._engine = engine
        self._feed(inlet, work, inbox)

    def cpu(self) -> float:
        """Seconds of CPU the child has used (where the kernel keeps no such clock: wall time)."""
        return time.clock_gettime(self._clock) if _LINUX else time.monotonic()

    def readable(self, seconds: float) -> bool:
        """Wait at most this long for output or the child's end. Raises EngineGoneError."""
        events = self._poll.poll(max(1.0, seconds * 1000))
        if any(descriptor == self._engine for descriptor, _ in events):
            self.end()
            raise EngineGoneError
        return bool(events)

    def end(self) -> str:
        """Kill the child, reap it, and say how it ended."""
        os.close(self.outlet)
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return f"killed by {_signal_name(os.WTERMSIG(status))}"
        return f"exited with status {os.WEXITSTATUS(status)} before it had returned"

    @staticmethod
    def _feed(inlet: int, work: Work, inbox: memoryview) -> None:
        parts = [work.sets, *(inbox[i.start : i.start + i.length] for i in work.items)]
        try:
            while parts:
                written = os.writev(inlet, parts[:_MOST_PARTS])
                while parts and written >= len(parts[0]):
                    written -= len(parts.pop(0))
                if written:
                    parts[0] = parts[0][written:]
        except BrokenPipeError:
            pass  # the child died first; its end says why
        finally:
            os.close(inlet)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def child_lock_down(report: dict[str, str]) -> Callable[[], None]:
    """Return what a child does before anything else runs in it; built before the fork."""
    die_with_parent = layers.parent_death_call()
    narrow = kernel.child_filter(OUTLET) if report.get("seccomp") == "on" else None

    def lock_down() -> None:
        os.closerange(0, OUTLET)
        os.closerange(OUTLET + 1, 1 << 16)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        if report.get("pdeathsig") == "on":
            die_with_parent()
        if narrow is not None:
            narrow.install()

    return lock_down


def _main(
    work: Work, inlet: int, outlet: int, lock_down: Callable[[], None], *, share: bool
) -> None:
    parts = []
    while part := os.read(inlet, 1 << 16):
        parts.append(part)
    data = b"".join(parts)
    if outlet != OUTLET:
        os.dup2(outlet, OUTLET, False)
    lock_down()
    sets: list[list[evaluate.Rows]] = []
    place = 0
    for _ in range(work.number_of_sets):
        grids, place = _parse_set(data, place)
        sets.append(grids)
    if work.alone:
        item = work.items[0]
        _run_alone(item, data[place : place + item.length], sets[0][work.first :])
    else:
        _run_batch(work.items, data, place, sets, share=share)
    os._exit(0)


def _run_alone(item: Item, source: bytes, grids: list[evaluate.Rows]) -> None:
    for kind, payload in _alone(source, grids):
        _send(_frame(item.number, kind, payload))


def _alone(source: bytes, grids: list[evaluate.Rows]) -> Iterator[tuple[int, bytes]]:
    """Yield a program's frames. As many calls deep as `_shared`, so that recursion ends alike."""
    code = evaluate.compile_source(source)
    defined = code if isinstance(code, bytes) else evaluate.define(code)
    if isinstance(defined, bytes):
        for _ in grids:
            yield frames.ALONE, defined
        return
    yield frames.DEFINED, b""
    for result in evaluate.results(defined[1], grids):
        yield frames.ALONE, result


def _run_batch(
    items: Sequence[Item], data: bytes, place: int, sets: list[list[evaluate.Rows]], *, share: bool
) -> None:
    usage, clock = resource.getrusage, time.monotonic
    start, flushed = usage(resource.RUSAGE_SELF).ru_maxrss, clock()
    held: list[bytes] = []
    parts = Parts() if share else None
    for position, item in enumerate(items):
        progress[:2] = position.to_bytes(2, "little")
        payload = _shared(data[place : place + item.length], sets[item.set], parts)
        place += item.length
        held.append(
            _frame(item.number, frames.DECLINED, b"")
            if payload is None
            else _frame(item.number, frames.SHARED, payload)
        )
        if clock() - flushed > _HELD_SECONDS:
            _send(b"".join(held))
            held.clear()
            flushed = clock()
            if usage(resource.RUSAGE_SELF).ru_maxrss - start > BATCH_GROWTH_KB:
                return
    _send(b"".join(held))


def _shared(source: bytes, grids: list[evaluate.Rows], parts: Parts | None) -> bytes | None:
    """Return a program's results, or None when it must be judged in a process of its own."""
    codes = None if parts is None else parts.of(source)
    if codes is None:
        code = evaluate.compile_source(source)
        if isinstance(code, bytes):
            return code * len(grids)
        if parts is None or not gate.may_share(code):
            return None
        codes = (code,)
    defined = evaluate.define(*codes)
    if isinstance(defined, bytes):
        return None if evaluate.ran_out_of_memory(defined) else defined * len(grids)
    namespace, transform = defined
    produced = []
    for result in evaluate.results(transform, grids):
        if evaluate.ran_out_of_memory(result):
            return None
        produced.append(result)
    namespace.clear()
    return b"".join(produced)


def _frame(number: int, kind: int, payload: bytes) -> bytes:
    return frames.HEADER.pack(len(payload), 0, number, kind) + payload


def _send(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(OUTLET, left) :]


def _parse_set(data: bytes, place: int) -> tuple[list[evaluate.Rows], int]:
    grids = []
    number = data[place]
    place += 1
    for _ in range(number):
        rows, columns = data[place], data[place + 1]
        place += 2
        end = place + rows * columns
        grids.append([list(data[p : p + columns]) for p in range(place, end, columns)])
        place = end
    return grids, place
