"""Counting on stderr while something long goes on: in place, now and then a line, or as JSON."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from soar_tui.cli import terminal
from soar_tui.cli.documents import ProgressDocument
from soar_tui.numbers import duration, of

LIVE_SECONDS, JSON_SECONDS, PLAIN_SECONDS = 0.1, 1.0, 10.0

Show: TypeAlias = Callable[[int], None]
"""Hears how much is done; may be called as often as one likes."""


@contextlib.contextmanager
def counting(what: str, total: int | None = None, *, as_json: bool) -> Iterator[Show]:
    """Yield what shows how much of `what` (e.g. "rows") is done, and how fast.

    On a terminal one line that stays in place and goes at the end; with `as_json` an object a
    second; otherwise a line every ten seconds.
    """
    console = terminal.err()
    live = console.is_terminal and not console.is_dumb_terminal and not as_json
    pause = LIVE_SECONDS if live else JSON_SECONDS if as_json else PLAIN_SECONDS
    started = shown = time.monotonic()

    def show(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < pause:
            return
        shown = now
        if as_json:
            document = ProgressDocument(what=what, done=done, total=total, seconds=now - started)
            sys.stderr.write(msgspec.json.encode(document).decode() + "\n")
            sys.stderr.flush()
        elif live:
            sys.stderr.write("\r\x1b[2K" + _line(what, done, total, now - started))
            sys.stderr.flush()
        else:
            console.print(_line(what, done, total, now - started))

    try:
        yield show
    finally:
        if live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def _line(what: str, done: int, total: int | None, seconds: float) -> str:
    count = f"{done:,}" if total is None else of(done, total)
    left = ""
    if total is not None and 0 < done < total:
        left = f" · ETA {duration(seconds / done * (total - done))}"
    return f"{count} {what} · {done / seconds:,.0f}/s{left}" if seconds else f"{count} {what}"
