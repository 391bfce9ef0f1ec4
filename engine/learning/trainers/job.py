"""One-shot training jobs: a process on a leash that says in lines of JSON how it gets on.

A line is an object with an `event`: `step` (see Progress), `done` with what the job has to say in
the end, or `failed` with its `reason`. What a job prints on standard error goes to a log file.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.learning.trainers.protocol import Progress, TrainingError
from engine.patience import within
from engine.policies.llm.leash import GRACE_SECONDS, leashed, log_tail

_LONGEST_LINE = 1 << 24


async def run_job(
    name: str,
    command: Sequence[str],
    log_file: Path,
    on_progress: Callable[[Progress], None],
    *,
    environment: Mapping[str, str],
    silence_seconds: float,
) -> dict[str, Any]:
    """Run a job to its end and return its last words (the `done` line).

    It ends when it is cancelled, when it says nothing for `silence_seconds` in which this process
    ran, and when this process ends, however it does. Raises TrainingError naming the job.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    done: dict[str, Any] | None = None
    async with _process(command, log_file, environment) as process:
        assert process.stdout is not None
        while line := await _line(process.stdout, name, log_file, silence_seconds):
            try:
                said = json.loads(line)
                match said["event"]:
                    case "step":
                        on_progress(_progress(said))
                    case "done":
                        done = said
                    case "failed":
                        raise TrainingError(f"{name}: {said['reason']}")
            except (ValueError, KeyError, TypeError) as error:
                raise TrainingError(f"{name}: said {line[:80]!r}, no line of ours") from error
        code = await process.wait()
    if code or done is None:
        raise TrainingError(_ended(name, f"ended with exit code {code}", log_file))
    return done


def _progress(said: Mapping[str, Any]) -> Progress:
    return Progress(said["step"], said["steps"], said["loss"], said["tokens"], said["seconds"])


async def _line(
    stream: asyncio.StreamReader, name: str, log_file: Path, silence_seconds: float
) -> bytes:
    try:
        return await within(silence_seconds, asyncio.ensure_future(stream.readline()))
    except TimeoutError:
        what = f"said nothing for {silence_seconds:g} s"
        raise TrainingError(_ended(name, what, log_file)) from None


def _ended(name: str, what: str, log_file: Path) -> str:
    return f"{name} {what}; {log_file} ends with\n{log_tail(log_file)}"


@asynccontextmanager
async def _process(
    command: Sequence[str], log_file: Path, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command on a leash; whatever happens, it is gone afterwards."""
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *leashed(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            limit=_LONGEST_LINE,
            env=environment,
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_SECONDS + 5.0):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
