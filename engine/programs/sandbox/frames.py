"""The wire format between engine, zygote and child: binary frames, little-endian, nothing pickled.

Request, engine to zygote: u32 length, then REQUEST, then the grid sets (u8 number of grids, the
packed grids), then per program PROGRAM and its source.
Reply, child to zygote to engine: HEADER and a payload; the zygote checks a child's header and
writes the job into it, so a child can only ever speak for the programs it was given.
A result is one byte, 0 and a packed grid, or the failure's code, u16 length and UTF-8 text.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from engine.programs.candidate import Failure, FailureKind, Result

LENGTH = struct.Struct("<I")
REQUEST = struct.Struct("<IdddHH")
"""Job, CPU seconds (per program, in the slow lane per grid), CPU seconds per grid after a hang
(0: this is the fast lane), seconds without progress, number of grid sets, number of programs."""
PROGRAM = struct.Struct("<HBI")
"""Grid set, whether it wants a fork of its own, bytes of source."""
HEADER = struct.Struct("<IIHB")
"""Bytes of payload, job, program within the job, kind."""

SHARED, ALONE, SLOW, BEAT, DEFINED, DECLINED = range(6)
"""Kinds: results from a batch; results from a fork of its own; the fast lane's CPU ran out; the
zygote lives. From child to zygote only: the module's code has run; cannot be judged in a batch."""

MAX_PAYLOAD = 1 << 20
MAX_REQUEST = 16 << 20
MAX_SOURCE = 1 << 20
MAX_INPUTS = 255
MAX_TEXT = 300
MAX_SIDE = 30
COLOURS = 10

FAILURES: tuple[FailureKind, ...] = (
    "exception",
    "timeout",
    "memory",
    "invalid",
    "crash",
    "refused",
)
_CODES = {kind: code for code, kind in enumerate(FAILURES, 1)}


class FrameError(ValueError):
    """Bytes that are no frame of this format."""


def one_line(text: str) -> str:
    """Return the text on one line, at most 300 characters, without control characters."""
    text = " ".join(text[: 4 * MAX_TEXT].split())[:MAX_TEXT]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "�" for c in text)


def encode_failure(kind: FailureKind, text: str) -> bytes:
    """Return a failure's result bytes."""
    line = one_line(text).encode("utf-8", "replace")
    return struct.pack("<BH", _CODES[kind], len(line)) + line


def encode_request(
    job: int,
    limits: tuple[float, float, float],
    programs: Sequence[tuple[bytes, bytes, bool]],
) -> bytes:
    """Return a request frame of programs given as (source, grid set, wants a fork of its own)."""
    sets: dict[bytes, int] = {}
    body: list[bytes] = []
    for source, grids, alone in programs:
        number = sets.setdefault(grids, len(sets))
        body += (PROGRAM.pack(number, alone, len(source)), source)
    head = REQUEST.pack(job, *limits, len(sets), len(programs))
    frame = b"".join((head, *sets, *body))
    if len(frame) > MAX_REQUEST:
        raise FrameError(f"a request of {len(frame)} bytes is longer than {MAX_REQUEST}")
    return LENGTH.pack(len(frame)) + frame


def encode_grids(packed: Sequence[bytes]) -> bytes:
    """Return a grid set: the number of grids and the packed grids."""
    return bytes((len(packed),)) + b"".join(packed)


def decode_results(payload: bytes, at_most: int) -> list[Result]:
    """Return the results in a payload. Raises FrameError when it holds anything else or more.

    Whatever the payload's length, no more than `at_most` results are made.
    """
    results: list[Result] = []
    place, end = 0, len(payload)
    while place < end:
        if len(results) == at_most:
            raise FrameError(f"more than {at_most} results")
        code = payload[place]
        if place + 3 > end:
            raise FrameError("a result is cut short")
        if code == 0:
            rows, columns = payload[place + 1], payload[place + 2]
            stop = place + 3 + rows * columns
            grid = payload[place + 1 : stop]
            if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE) or stop > end:
                raise FrameError("a grid has a wrong size")
            if max(grid[2:]) >= COLOURS:
                raise FrameError("a grid holds a wrong cell")
            results.append(grid)
        elif code <= len(FAILURES):
            stop = place + 3 + payload[place + 1] + 256 * payload[place + 2]
            if stop > end or stop - place - 3 > 4 * MAX_TEXT:
                raise FrameError("a failure's text has a wrong size")
            text = payload[place + 3 : stop].decode("utf-8", "replace")
            results.append(Failure(FAILURES[code - 1], one_line(text)))
        else:
            raise FrameError(f"no result has the code {code}")
        place = stop
    return results
