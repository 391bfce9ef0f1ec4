"""Make the screenshots of README and docs from a run: an SVG per place, as the app draws it.

    python docs/screenshots/make.py RUN_FOLDER [--task ID] [--out FOLDER]

The run should be finished and have learned; the demo with two iterations is one.
"""

from __future__ import annotations

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from engine.archive.catalogue import Catalogue
from engine.archive.reader import RunReader
from soar_tui.app import SoarApp
from soar_tui.desk import Desk

SIZE = (120, 36)
PLACES = ("overview", "task", "arms", "votes", "candidates", "chain", "learn", "analysis", "system")
PATIENCE = 30.0


def telling(folder: Path, name: str | None) -> tuple[int, int, int]:
    """Return an iteration, a task and a candidate worth a picture: the longest repaired chain."""
    found: list[tuple[int, int, int, int]] = []
    with RunReader(folder) as reader:
        tasks = range(len(reader.tasks())) if name is None else [reader.task_index(name)]
        for iteration in reader.iterations():
            for task in tasks:
                rows = reader.candidate_rows(iteration.index, task)
                perfect = [row for row in rows if row.operator == "refine" and row.accuracy == 1]
                found += [
                    (len(reader.chain(row.id)), iteration.index, task, row.id)
                    for row in perfect[:3]
                ]
    if not found:
        raise SystemExit(f"{folder}: no refinement there fits all demonstrations")
    _, iteration_index, task_index, candidate = max(found)
    return iteration_index, task_index, candidate


async def draw(folder: Path, out: Path, name: str | None) -> None:
    """Save a picture of every place."""
    iteration, task, candidate = telling(folder, name)
    with tempfile.TemporaryDirectory() as home:
        app = SoarApp(folder, desk=Desk(Catalogue(Path(home) / "catalogue.json")))
        async with app.run_test(size=SIZE) as pilot:
            await _settled(app)
            app.look(iteration=iteration, task=task, candidate=candidate)
            for place in PLACES:
                app.go(place)
                await _settled(app)
                await pilot.pause(0.5)
                path = out / f"{place}.svg"
                path.write_text(app.export_screenshot(title=f"soar-tui · {place}"), "utf-8")
                print(path)


async def _settled(app: SoarApp) -> None:
    deadline = time.monotonic() + PATIENCE
    await asyncio.sleep(0.1)
    while not app.up_to_date:
        if time.monotonic() > deadline:
            raise SystemExit(f"{app.current_mode}: no answer for {PATIENCE:.0f} s")
        await asyncio.sleep(0.05)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path)
    parser.add_argument("--task", help="the id of the task to look at")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(given.run, given.out, given.task))


if __name__ == "__main__":
    main()
