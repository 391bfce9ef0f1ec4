"""`python -m engine RUN_FOLDER`: run a folder's loop in this process until it is through."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.control.process import serve


def main() -> int:
    """Parse the command line and run the engine; return its exit code (see serve)."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("folder", type=Path, help="a run folder, holding run.toml")
    parser.add_argument(
        "--ready-fd", type=int, default=None, help="write one byte here once the engine is ready"
    )
    arguments = parser.parse_args()
    return serve(arguments.folder, ready_fd=arguments.ready_fd)


if __name__ == "__main__":
    sys.exit(main())
