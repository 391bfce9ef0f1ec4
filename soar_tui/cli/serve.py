"""`soar-tui serve`: the app in a browser, through textual-serve, for this machine only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError, OutcomeError
from soar_tui.cli.options import JsonOption

if TYPE_CHECKING:
    import socket

EPILOG = """Examples:

  soar-tui serve

  soar-tui serve last --port 8765

From another machine: `ssh -L 8000:127.0.0.1:8000 HOST` there, then open the same address."""

HOST = "127.0.0.1"
PORT = 8000


def serve(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="The run to open at: a name, a unique beginning of it, a folder, or `last`.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")
    ] = PORT,
    as_json: JsonOption = False,
) -> int:
    """Open the app in a browser on this machine; Ctrl+C ends it, engines go on.

    Only programs of this machine can connect, and only with the key in the printed address.
    """
    from engine.control import find_run

    folder = None if run is None else find_run(run)
    try:
        from soar_tui.browser import BrowserServer
    except ModuleNotFoundError as error:
        raise InputError(
            f"serve needs {error.name}, which is not installed: pip install 'soar-tui[browser]'"
        ) from error
    with _listening(port) as listening:
        server = BrowserServer(folder, HOST, listening.getsockname()[1])
        _tell(server.address, listening.getsockname()[1], as_json=as_json)
        server.serve_on(listening)
    return OK


def _listening(port: int) -> socket.socket:
    import errno
    import socket

    try:
        return socket.create_server((HOST, port), reuse_port=False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OutcomeError(
                f"port {port} of {HOST} is taken; choose another one with --port, or 0 for a free one"
            ) from error
        if isinstance(error, PermissionError):
            raise OutcomeError(f"port {port}: not allowed; choose one above 1023") from error
        raise


def _tell(address: str, port: int, *, as_json: bool) -> None:
    if as_json:
        from soar_tui.cli.documents.runs import ServeDocument

        terminal.emit(ServeDocument(address=address, host=HOST, port=port))
        return
    console = terminal.out()
    console.print(f"The app is at  {address}", soft_wrap=True)
    console.print(f"Elsewhere      ssh -L {port}:{HOST}:{port} HOST, then open the same address")
    console.print("Ctrl+C ends it; engines go on.")
