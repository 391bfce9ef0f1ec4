"""What lies side by side on a command line: runs, iterations of them, and settings files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from soar_tui.cli.analyze import named_run

SidesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|FILE.toml",
        help="Runs by name, a unique beginning of it, folder, or `last`; RUN:I is its iteration I, "
        "counted from 1, in place of the latest one voted on. Or settings files, as for --config.",
        show_default=False,
    ),
]


def is_settings_file(text: str) -> bool:
    """Whether a settings file is meant: by its name, or since there is such a file and no such run."""
    from engine.control import RunFolderError

    path = Path(text)
    if path.is_dir():
        return False
    if path.suffix == ".toml":
        return True
    try:
        named_run(text)
    except RunFolderError:
        return path.exists()
    return False
