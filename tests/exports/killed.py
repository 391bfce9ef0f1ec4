"""Kill exports at every point at which they touch a file, and let the same export go on after.

A process of its own, which forks one export after another: first one that is left alone; then, for
each file event (or every so many), one that is sent a signal there, and one that goes on. It prints how many were
stopped and how many of the others kept something, and fails where a file is not as it is undisturbed.

    python -m tests.exports.killed programs.parquet RUN_FOLDER PLACE SIGKILL STRIDE
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from engine.archive.reader import RunReader
from engine.config import load_settings
from engine.exports.chats import CHATS, examples
from engine.exports.output import unfinished
from engine.exports.programs import PROGRAMS, program_records
from engine.exports.resuming import Found
from engine.exports.rows import write_rows
from engine.exports.tables import write_tables

EVENTS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree"}
KEPT, INTERRUPTED = 3, 130
"""Exit codes: done after having gone on with something; ended by Ctrl+C."""


def export(what: str, run: Path, out: Path) -> int:
    """Export a run in pieces as small as can be and return how many rows were there already."""
    found = Found()

    def on_found(left: Found) -> None:
        nonlocal found
        found = left

    def silent(*_: int) -> None:
        pass

    with RunReader(run) as reader:
        if what == "tables":
            write_tables(reader, out, force=False, on_rows=silent, on_found=on_found, every=1)
            return found.kept
        settings = {"force": False, "on_progress": silent, "on_found": on_found, "every": 1}
        if what.startswith("programs"):
            write_rows(program_records(reader, "all", Counter()), PROGRAMS, out, **settings)
        else:
            rows, _ = examples(reader, run, load_settings(run / "run.toml"))
            write_rows(rows, CHATS, out, **settings)
    return found.kept


def forked(work: Callable[[], int], stop: int, sent: signal.Signals) -> int:
    """Do something in a fork that is sent a signal at its file event number `stop` (0: never)."""
    child = os.fork()
    if not child:
        seen = 0

        def hook(event: str, about: tuple[object, ...]) -> None:
            nonlocal seen
            if event in EVENTS and any(".part" in str(one) for one in about):
                seen += 1
                if seen == stop:
                    os.kill(os.getpid(), sent)

        sys.addaudithook(hook)
        try:
            os._exit(KEPT if work() else 0)
        except KeyboardInterrupt:
            os._exit(INTERRUPTED)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def content(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of the files in a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name if path.is_dir() else "": file.read_bytes() for file in files}


def main() -> None:
    """Stop exports everywhere and compare."""
    what, run, place, name, stride = sys.argv[1:]
    sent, at, stopped, kept = signal.Signals[name], 1, 0, 0
    undisturbed, out = Path(place) / f"whole-{what}", Path(place) / what

    def work(path: Path) -> Callable[[], int]:
        return lambda: export(what, Path(run), path)

    assert forked(work(undisturbed), 0, sent) == 0
    while True:
        code = forked(work(out), at, sent)
        if code == 0:
            break
        assert code in (-sent, INTERRUPTED), code
        at, stopped = at + int(stride), stopped + 1
        if out.exists():
            # Only what was left beside it is not yet gone.
            shutil.rmtree(unfinished(out), ignore_errors=True)
        else:
            code = forked(work(out), 0, sent)
            assert code in (0, KEPT), code
            kept += code == KEPT
        assert content(out) == content(undisturbed), at
        assert not unfinished(out).exists()
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    print(stopped, kept)


if __name__ == "__main__":
    main()
