"""What an interpreter of another environment has, asked of it without importing anything heavy."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

ASK_SECONDS = 60.0

_ASK = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"


def missing_packages(python: str, names: Sequence[str]) -> list[str]:
    """Return which importable packages an interpreter lacks.

    Raises OSError when there is no such interpreter or it cannot answer.
    """
    try:
        asked = subprocess.run(
            # -I: its own packages, not those of the folder we happen to be in.
            [python, "-I", "-c", _ASK, *names],
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise OSError(f"{python}: does not answer as a Python interpreter") from error
    return asked.stdout.split()
