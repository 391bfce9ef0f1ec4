"""The two streams: documents and tables on stdout, progress and complaints on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from soar_tui.cli.documents import Document

PIPED_WIDTH = 100
"""Columns of a table that goes into a pipe or file, where no terminal has a say."""


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Let main() end quietly; rich itself would end with the code of a failure."""
        raise BrokenPipeError


def _console(*, stderr: bool) -> Console:
    # A string that is not ours must never be read as markup, emoji code or something to colour.
    console = _Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def out() -> Console:
    """Return a console on stdout."""
    return _console(stderr=False)


def err() -> Console:
    """Return a console on stderr."""
    return _console(stderr=True)


def emit(document: Document) -> None:
    """Write a document to stdout: one JSON object on one line."""
    from soar_tui.cli.documents import encoded

    sys.stdout.write(encoded(document).decode())
    sys.stdout.flush()


def complain(message: str, code: int, *, as_json: bool) -> None:
    """Write an error to stderr: a line for people, or one JSON object."""
    if as_json:
        import msgspec

        from soar_tui.cli.documents import ErrorDocument

        line = msgspec.json.encode(ErrorDocument(error=message, exit_code=code)).decode()
    else:
        first, *rest = message.splitlines() or [""]
        line = "\n".join(
            [f"soar-tui: {one_line(first)}", *(f"  {one_line(text)}" for text in rest)]
        )
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
