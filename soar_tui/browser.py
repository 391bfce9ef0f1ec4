"""The server behind `soar-tui serve`: textual-serve, with a key in front of it.

textual-serve starts one app per browser window and carries keys and screens over a websocket. It
lets in whoever reaches the port: any user of this machine, and any page open in the browser. Here
only who knows the key in the printed address gets in; the page keeps it in a cookie that no other
site can send. Not covered: the connection is not encrypted, so it must stay on this machine or
inside an SSH tunnel.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

COOKIE = "soar-tui-key"
KEY_BYTES = 16
SHUTDOWN_SECONDS = 3.0
_APP = "import sys; from soar_tui.opening import open_in_browser; open_in_browser(sys.argv[1:])"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BrowserServer(Server):
    """Serves the app, at a run if one is given, to whoever knows the key in `address`."""

    def __init__(self, folder: Path | None, host: str, port: int) -> None:
        place = [] if folder is None else [str(folder)]
        command = shlex.join([sys.executable, "-P", "-c", _APP, *place])
        super().__init__(command, host=host, port=port, title="soar-tui")
        self._key = secrets.token_urlsafe(KEY_BYTES)

    @property
    def address(self) -> str:
        """The address to open, with its key."""
        return f"{self.public_url}/?key={self._key}"

    def serve_on(self, listening: socket.socket) -> None:
        """Serve on a socket until SIGINT or SIGTERM; the apps end, their engines go on."""
        web.run_app(
            self._make_app(),
            sock=listening,
            shutdown_timeout=SHUTDOWN_SECONDS,
            print=lambda *_: None,
            access_log=None,
        )

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: who started this has told the address."""

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.query.get("key")
        known = given if given is not None else request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(known.encode(), self._key.encode()):
            raise web.HTTPForbidden(
                text="Open the whole address that soar-tui serve printed: it ends with a key.\n"
            )
        response = await handler(request)
        if not response.prepared:
            # The page would fetch a font from elsewhere; nothing leaves this machine.
            sockets = self.public_url.replace("http:", "ws:", 1)
            response.headers["Content-Security-Policy"] = (
                f"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: {self.public_url}; "
                f"connect-src 'self' {self.public_url} {sockets}"
            )
            response.headers["Referrer-Policy"] = "no-referrer"
            if given is not None:
                response.set_cookie(COOKIE, self._key, httponly=True, samesite="Strict")
        return response
