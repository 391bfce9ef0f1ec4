"""What a run needs of this machine, tried out for real: the folder of runs and the sandbox."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from engine.arc import as_grid, pack
from engine.archive.database import open_to_write
from engine.archive.schema import LIVE, ArchiveError
from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox, SandboxError, SandboxStatus

__all__ = ["SandboxError", "storage_problem", "try_sandbox"]

SANDBOX_SECONDS = 60.0
_PROGRAM = "def transform(grid):\n    return [row[::-1] for row in grid]\n"


def storage_problem(folder: Path) -> str | None:
    """Return why runs cannot live under a folder (made if absent), or None when they can.

    A database is created there and removed again: permissions, space and WAL mode are all needed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place:
            open_to_write(Path(place), LIVE).close()
    except ArchiveError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"
    return None


def try_sandbox(config: SandboxConfig) -> SandboxStatus:
    """Start a sandbox, run a small program in it, and return what it says of itself.

    Raises SandboxError when it does not start, is weaker than `config.minimum`, takes longer than
    SANDBOX_SECONDS, or gives a wrong result.
    """
    try:
        return asyncio.run(asyncio.wait_for(_try_sandbox(config), SANDBOX_SECONDS))
    except TimeoutError as error:
        raise SandboxError(f"the sandbox gave no result within {SANDBOX_SECONDS:.0f} s") from error


async def _try_sandbox(config: SandboxConfig) -> SandboxStatus:
    async with Sandbox(config) as sandbox:
        ((result,),) = await sandbox.run([_PROGRAM], [as_grid([[1, 2]])])
        if result != pack(as_grid([[2, 1]])):
            raise SandboxError(f"the sandbox gave a wrong result for a small program: {result!r}")
        return sandbox.status
