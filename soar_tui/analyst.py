"""The app's end of the process that reads runs for it (soar_tui.analysis_process)."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from soar_tui.analysis_exchange import Analysed, Asked
from soar_tui.sanitise import one_line

_LINE_BYTES: Final = 1 << 28
_SILENCE_SECONDS: Final = 300.0
"""So long without a word, a question under way counts as hung."""
_ENDING_SECONDS: Final = 5.0
_SAID: Final = 4000


class AnalystError(RuntimeError):
    """The reading process failed; the message says how."""


class Analyst:
    """A running process that reads runs; made by `analyst()`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asked = False

    def ask(self, asked: Asked | None) -> None:
        """Ask something in place of what was asked before; None: only stop that."""
        assert self._process.stdin is not None
        self._asked = asked is not None
        self._process.stdin.write(msgspec.json.encode(asked) + b"\n")

    async def answers(self) -> AsyncIterator[Analysed]:
        """Yield answers as they grow, of one question after another, until cancelled.

        Raises AnalystError when the process ends or hangs.
        """
        decoder = msgspec.json.Decoder(Analysed)
        while True:
            line = await self._line()
            if not line:
                raise AnalystError(f"the reading process ended: {await self._last_words()}")
            analysed = decoder.decode(line)
            if analysed.over:
                self._asked = False
            yield analysed

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        while True:
            asked = self._asked
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    return await self._process.stdout.readline()
            except TimeoutError as error:
                if asked and self._asked:
                    raise AnalystError("the reading process hangs") from error

    async def _last_words(self) -> str:
        assert self._process.stderr is not None
        try:
            async with asyncio.timeout(_ENDING_SECONDS):
                said = (await self._process.stderr.read())[-_SAID:].decode(errors="replace")
                code = await self._process.wait()
        except TimeoutError:
            return "it closed its output"
        last = said.strip().rpartition("\n")[2]
        return one_line(last or f"exit code {code}")


@asynccontextmanager
async def analyst() -> AsyncIterator[Analyst]:
    """Start the process; it is gone when this is left. Raises AnalystError and OSError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "soar_tui.analysis_process"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LINE_BYTES,
        start_new_session=True,
    )
    try:
        yield Analyst(process)
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(_ENDING_SECONDS):
            await asyncio.shield(process.wait())
