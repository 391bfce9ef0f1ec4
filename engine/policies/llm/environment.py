"""What an interpreter of another environment has, asked of it without importing anything heavy."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ASK_SECONDS = 60.0

_ASK = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"

_VERSIONS = """\
import importlib.metadata, platform, sys
print(platform.python_version())
for name in sys.argv[1:]:
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        pass
"""


def missing_packages(python: str, names: Sequence[str]) -> list[str]:
    """Return which importable packages an interpreter lacks.

    Raises OSError when there is no such interpreter or it cannot answer.
    """
    return _asked(python, _ASK, names).split()


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What an interpreter says of itself: Python's version, and those of some packages it has."""

    python: str
    packages: Mapping[str, str]


def interpreter(python: str, packages: Sequence[str]) -> Interpreter:
    """Return an interpreter's version and those of the named packages that are installed in it.

    Raises OSError when there is no such interpreter or it cannot answer.
    """
    said = _asked(python, _VERSIONS, packages).split()
    if len(said) % 2 == 0:
        raise OSError(f"{python}: does not answer as a Python interpreter")
    return Interpreter(said[0], dict(zip(said[1::2], said[2::2], strict=True)))


def _asked(python: str, code: str, names: Sequence[str]) -> str:
    try:
        asked = subprocess.run(
            # -I: its own packages, not those of the folder we happen to be in.
            [python, "-I", "-c", code, *names],
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise OSError(f"{python}: does not answer as a Python interpreter") from error
    except OSError as error:
        raise OSError(f"{python}: {error.strerror}") from error
    return asked.stdout
