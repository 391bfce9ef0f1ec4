"""Opening the app in this terminal.

Textual reads its settings from the environment once, when it is imported, so they are set first.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from soar_tui.app import SoarApp

_ENDING_SECONDS: Final = 10.0
_HUNG_UP: Final = 128 + signal.SIGHUP
_OBJECTS: Final = 20_000
"""New objects after which garbage is looked for; Python's 700 is thirty times before a first paint."""


def remote() -> bool:
    """Whether this terminal is at the other end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def on_terminal() -> bool:
    """Whether there is a terminal that the app can take over; it is drawn on standard error."""
    named = os.environ.get("TERM", "")
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and named not in ("", "dumb")


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage while modules are imported, nor look through them ever after.

    They are what stays: collections are a tenth of the time of importing them, and a full one
    that walks them later makes a key wait for 0.1 s.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_in_browser(arguments: list[str]) -> None:
    """Be the process of one browser window: the app at the run of the arguments, if there is one.

    textual-serve drives it over pipes, so nothing else may be written to them.
    """
    sys.exit(open_app(Path(arguments[0]) if arguments else None))


def open_app(folder: Path | None = None) -> int:
    """Open the app, at a run if one is given; return the exit code once the user has left it."""
    # A still screen is calm anywhere, and over SSH every frame of an animation is paid for.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if remote():
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
        os.environ.setdefault("TEXTUAL_FPS", "15")
    gc.set_threshold(_OBJECTS)
    with uncollected():
        from soar_tui.app import SoarApp

        app = SoarApp(folder)
    if _terminal_gone():
        return _HUNG_UP
    threading.Thread(target=_end_with_terminal, args=(app,), daemon=True).start()
    try:
        app.run()
    except OSError:
        # Whatever Textual has to say at its end, it says on the terminal.
        if not _terminal_gone():
            raise
    return _HUNG_UP if _terminal_gone() else app.return_code or 0


def _terminal_gone() -> bool:
    return _hang_up_of_terminal().poll(0) != []


def _hang_up_of_terminal() -> select.poll:
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # a hang-up is reported without being asked for
    return terminal


def _end_with_terminal(app: SoarApp) -> None:
    """End the app once its terminal is gone, also where hang-up signals are ignored.

    Textual would read the end of the file over and over, and wait for ever to write.
    """
    _hang_up_of_terminal().poll()
    at_last = threading.Timer(_ENDING_SECONDS, os._exit, (_HUNG_UP,))
    at_last.daemon = True
    at_last.start()
    app.call_from_thread(app.exit, return_code=_HUNG_UP)
