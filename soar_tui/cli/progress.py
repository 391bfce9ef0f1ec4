"""Counting on stderr while something long goes on: in place, now and then a line, or as JSON."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from engine.figures.numbers import duration, of
from soar_tui.cli import terminal
from soar_tui.cli.documents import ProgressDocument

LIVE_SECONDS, JSON_SECONDS, PLAIN_SECONDS = 0.1, 1.0, 10.0


class Show(Protocol):
    """Hears how much is done, and what has come to be known of how much there is in all.

    `before` of what is done was done already when counting began. May be called as often as one
    likes.
    """

    def __call__(self, done: int, total: int | None = None, *, before: int = 0) -> None: ...


@contextlib.contextmanager
def counting(what: str, total: int | None = None, *, as_json: bool) -> Iterator[Show]:
    """Yield what shows how much of `what` (e.g. "rows") is done, how fast, and when it will be all.

    On a terminal one line that stays in place and goes at the end; with `as_json` an object a
    second; otherwise a line every ten seconds.
    """
    console = terminal.err()
    live = console.is_terminal and not console.is_dumb_terminal and not as_json
    pause = LIVE_SECONDS if live else JSON_SECONDS if as_json else PLAIN_SECONDS
    started = shown = time.monotonic()
    given = total

    def show(done: int, total: int | None = None, *, before: int = 0) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < pause:
            return
        shown, seconds = now, now - started
        whole = given if total is None else total
        if as_json:
            document = ProgressDocument(what=what, done=done, total=whole, seconds=seconds)
            sys.stderr.write(msgspec.json.encode(document).decode() + "\n")
            sys.stderr.flush()
        elif live:
            sys.stderr.write("\r\x1b[2K" + _line(what, done, whole, before, seconds))
            sys.stderr.flush()
        else:
            console.print(_line(what, done, whole, before, seconds))

    try:
        yield show
    finally:
        if live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def since_begun(show: Show) -> Callable[[int, int], None]:
    """Return what an export tells how far it is: what it begins with counts as done before."""
    before: int | None = None

    def on_progress(done: int, total: int) -> None:
        nonlocal before
        before = done if before is None else before
        show(done, total, before=before)

    return on_progress


def _line(what: str, done: int, total: int | None, before: int, seconds: float) -> str:
    count = f"{done:,}" if total is None else of(done, total)
    now = done - before
    left = ""
    if total is not None and now > 0 and done < total:
        left = f" · ETA {duration(seconds / now * (total - done))}"
    return f"{count} {what} · {now / seconds:,.0f}/s{left}" if seconds else f"{count} {what}"
