"""Opening the app in this terminal.

Textual reads its settings from the environment once, when it is imported, so they are set first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def remote() -> bool:
    """Whether this terminal is at the other end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def on_terminal() -> bool:
    """Whether there is a terminal that the app can take over."""
    named = os.environ.get("TERM", "")
    return sys.stdin.isatty() and sys.stdout.isatty() and named not in ("", "dumb")


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
    from soar_tui.app import SoarApp

    app = SoarApp(folder)
    app.run()
    return app.return_code or 0
