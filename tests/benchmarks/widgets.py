"""Measure the widgets: milliseconds per paint, bytes a terminal is sent when little changes.

The yardstick is the same grid as Rich text, a styled character per cell, laid out by Rich.

    python -m tests.benchmarks.widgets
"""

from __future__ import annotations

import os

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ["TEXTUAL_ANIMATIONS"] = "none"

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.style import Style
from rich.text import Text

from engine.arc import as_grid
from soar_tui.widgets.arm_table import ArmTable
from soar_tui.widgets.curve import Axes, Series, draw_curves
from soar_tui.widgets.grid import GridView
from soar_tui.widgets.grid_picture import draw_grid
from soar_tui.widgets.source_view import SourceView
from soar_tui.widgets.task_wall import TaskWall
from tests.app.palettes import DARK
from tests.app.screen import Stage
from tests.app.values import SOURCE, arms, wall_tasks

ROUNDS = 30
SIZES = ((80, 24), (220, 60))


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of one call."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def rich_grid(grid: np.ndarray, console: Console) -> None:
    """Lay a grid out as Rich text: what the widgets are measured against."""
    text = Text()
    for upper, lower in zip(grid[::2], grid[1::2], strict=True):
        for a, b in zip(upper, lower, strict=True):
            style = Style(color=DARK.arc[a].rich_color, bgcolor=DARK.arc[b].rich_color)
            text.append("▀", style)
        text.append("\n")
    list(console.render_lines(text))


def pure() -> None:
    """Time what needs no app."""
    rng = np.random.default_rng(0)
    noise = as_grid(rng.integers(0, 10, (30, 30)))
    plain = as_grid(np.where(rng.random((30, 30)) < 0.1, noise, 0))
    console = Console(width=80, force_terminal=True, color_system="truecolor")
    for name, grid in (("noise", noise), ("mostly one colour", plain)):
        for cells in ("half", "wide", "big"):
            taken = milliseconds(lambda g=grid, c=cells: draw_grid(g, c, DARK))
            print(f"grid 30x30 {name}, {cells} cells: {taken:.2f} ms")
        print(f"  as Rich text: {milliseconds(lambda g=grid: rich_grid(g, console)):.2f} ms")
    xs = np.linspace(0, 1, 500)
    series = [
        Series(str(k), tuple(zip(xs.tolist(), np.sin(9 * xs + k).tolist(), strict=True)))
        for k in range(3)
    ]
    taken = milliseconds(lambda: draw_curves(series, Axes(), 100, 20, DARK))
    print(f"curve 100x20, 3 series of 500 points: {taken:.2f} ms")


async def on_stage(widget, size, work, name) -> None:
    """Time a full paint, then `work`'s change: its own time, and the bytes it sends."""
    app = Stage(widget)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        crop = widget.size.region

        def paint() -> None:
            widget.forget_drawn()
            widget._styles_cache.clear()
            widget.render_lines(crop)

        painted = milliseconds(paint, 10)
        app.sent_bytes()
        widget.repaint()
        await pilot.pause()
        whole = app.sent_bytes()
        started = time.perf_counter()
        work(widget)
        taken = 1000 * (time.perf_counter() - started)
        await pilot.pause()
        some = app.sent_bytes()
        print(
            f"{name} at {size[0]}x{size[1]}: paint {painted:.1f} ms, {whole:,} bytes; "
            f"change {taken:.1f} ms, {some:,} bytes"
        )


async def staged() -> None:
    """Time widgets in an app."""
    rng = np.random.default_rng(1)
    grid = as_grid(rng.integers(0, 10, (30, 30)))
    changed = grid.copy()
    for place in (33, 200, 450, 700, 899):
        changed.flat[place] = (changed.flat[place] + 1) % 10
    for size in SIZES:
        await on_stage(
            GridView(grid), size, lambda w: w.show(as_grid(changed)), "grid 30x30, 5 cells change"
        )
        wall = TaskWall()
        wall.show(wall_tasks(400))
        await on_stage(wall, size, lambda w: w.set_states({4: "right"}), "wall of 400, one changes")
        pictures = TaskWall()
        pictures.show(wall_tasks(400))
        pictures.density = "pictures"
        await on_stage(pictures, size, lambda w: w.set_states({4: "right"}), "the same as pictures")
        some = arms(6000)
        table = ArmTable()
        table.show(some)
        pulled = [
            replace(arm, pulls=arm.pulls + 4, beta=arm.beta + 4) if arm.number == 9 else arm
            for arm in some
        ]
        await on_stage(table, size, lambda w, p=pulled: w.show(p, {9}), "6,000 arms, one is pulled")
        source = SourceView()
        source.show_source(SOURCE * 20)
        await on_stage(source, size, lambda w: w.find("grid"), "source of 280 lines, a search")
    started = time.perf_counter()
    view = SourceView()
    view.show_source("x = '" + "a" * 1_000_000 + "'\n" + "y = 1\n" * 20_000)
    print(f"a source of 1.1 MB is ready after {1000 * (time.perf_counter() - started):.0f} ms")


def main() -> None:
    """Print every figure."""
    pure()
    asyncio.run(staged())


if __name__ == "__main__":
    main()
