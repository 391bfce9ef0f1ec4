"""The whole app on a recorded run, driven by keys, until it has nothing more to show."""

import asyncio
import contextlib
import time

from engine.archive.catalogue import Catalogue
from soar_tui.app import SoarApp
from soar_tui.desk import Desk
from tests.app.screen import screen_lines

PATIENCE = 150.0


def desk_at(folder):
    return Desk(Catalogue(folder / "catalogue.json"))


class CountingApp(SoarApp):
    """The app; counts what it paints."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.paints = 0

    def _display(self, screen, renderable):
        if renderable is not None and hasattr(renderable, "render_segments"):
            self.paints += 1
        super()._display(screen, renderable)


@contextlib.asynccontextmanager
async def opened(folder, *, desk, size=(120, 40), place=None):
    """Open the app on a run (None: on none); yields (app, pilot) with the first place settled."""
    app = CountingApp(folder, desk=desk_at(desk))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(app, pilot)
        if place is not None:
            app.go(place)
            await settled(app, pilot)
        yield app, pilot


async def until(condition, what):
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still not so: {what}"
        await asyncio.sleep(0.005)


async def resized(app, pilot, width, height):
    """Give the terminal another size and wait until it is laid out: Textual holds sizes back."""
    await pilot.resize_terminal(width, height)
    await until(lambda: app.screen.size == (width, height), "the new size is taken up")
    await pilot.pause()


async def settled(app, pilot):
    """Wait until the shown place has its answer and the screen stays the same."""
    await until(lambda: app.up_to_date, f"{app.current_mode} has its answer")
    before = None
    for _ in range(2000):
        await pilot.pause()
        now = screen_lines(app)
        if now == before and app.up_to_date:
            return
        before = now
        await asyncio.sleep(0.03)
    raise AssertionError("the screen does not come to rest")


def text(app):
    return "\n".join(screen_lines(app))
