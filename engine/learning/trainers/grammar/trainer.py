"""The trainer of the embedded policy: its fit as a job in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.learning.trainers.protocol import Checkpoint, Progress, TrainingError

SILENCE_SECONDS = 1800.0
"""Without a line from the job for as long, it counts as hung; replaying a whole run is silent."""


class GrammarTrainer:
    """Fits the contextual model, every time anew from the base checkpoint or from nothing."""

    def __init__(self, log_file: Path, *, seed: int = 0, workers: int = 0) -> None:
        self._log_file = log_file
        self._seed = seed
        self._workers = workers or os.cpu_count() or 1

    async def train(
        self,
        dataset: Path,
        base: Path | None,
        out_dir: Path,
        on_progress: Callable[[Progress], None],
    ) -> Checkpoint:
        """Fit as engine.learning.trainers.protocol.Trainer says; `out_dir` becomes one file."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "engine.learning.trainers.grammar.fit",
                str(dataset),
                str(out_dir),
                f"--seed={self._seed}",
                f"--workers={self._workers}",
                *(() if base is None else (f"--base={base}",)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            done = await self._listen(process, on_progress)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Checkpoint(
            path=out_dir,
            base="untrained" if base is None else base.name,
            rows=done["rows"],
            dropped=done["dropped"],
            losses=tuple(done["losses"]),
            tokens=0,
            seconds=done["seconds"],
            surviving=None,
        )

    async def _listen(
        self, process: asyncio.subprocess.Process, on_progress: Callable[[Progress], None]
    ) -> dict[str, Any]:
        assert process.stdout is not None
        done: dict[str, Any] | None = None
        while line := await self._line(process.stdout):
            said = json.loads(line)
            match said["event"]:
                case "step":
                    on_progress(
                        Progress(said["step"], said["steps"], said["loss"], 0, said["seconds"])
                    )
                case "done":
                    done = said
                case "failed":
                    raise TrainingError(f"fit: {said['reason']}")
        async with asyncio.timeout(SILENCE_SECONDS):
            code = await process.wait()
        if code or done is None:
            raise TrainingError(f"fit: ended with exit code {code}; see {self._log_file}")
        return done

    async def _line(self, stream: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await stream.readline()
        except TimeoutError:
            raise TrainingError(f"fit: said nothing for {SILENCE_SECONDS:g} s") from None
