"""Running the command line: in this process for what needs no engine, as a process otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

PROGRAM = (sys.executable, "-c", "from soar_tui.cli import main; main()")
ROOT = Path(__file__).parents[2]
SECONDS = 180.0
BUDGET = ("--samples", "40", "--refinements", "16", "--seed", "0")


@dataclass(frozen=True)
class Said:
    """What a command line printed and ended with."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Ask: TypeAlias = Callable[..., Said]


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Return the environment of a user whose runs live under `home`."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")
    }
    return {**kept, "SOAR_HOME": str(home), "PYTHONPATH": str(ROOT), **changes}


def spawn(home: Path, *arguments: str, **changes: str) -> Said:
    """Run a command line as a process of its own to its end."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment(home, **changes),
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Searched:
    """A finished run of two small tasks, shared by the tests that only read."""

    home: Path
    name: str
    said: Said
