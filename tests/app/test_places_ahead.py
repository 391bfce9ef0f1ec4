"""What the app does while its first place is looked at, so that the others are there at once."""

import gc
import subprocess
import sys
import threading

import pytest

from soar_tui.app import FrameArrived
from soar_tui.feed import Feed, Frame
from soar_tui.keys import INSIDE, PLACES
from soar_tui.opening import uncollected
from tests.app.recorded import record, settings
from tests.app.screen import screen_lines
from tests.app.stage import CountingApp, desk_at, opened, settled, text, until


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "ahead", chosen=settings("sample:2", iterations=1))


async def test_the_other_places_are_made_unseen_while_the_first_is_looked_at(home, folder):
    app = CountingApp(folder, desk=desk_at(home))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app, pilot)
        before, focused, paints = screen_lines(app), app.focused, app.paints
        await app.workers.wait_for_complete()
        await pilot.pause()
        made = {place.place for place in app.places_made()}
        assert made == {name for _, name, _ in (*PLACES, *INSIDE)}
        assert (screen_lines(app), app.focused, app.paints) == (before, focused, paints)


async def test_a_place_made_ahead_is_one_of_the_run_looked_at_by_then(home, folder):
    async with opened(None, desk=home) as (app, pilot):
        await app.workers.wait_for_complete()
        app.go("votes")
        await settled(app, pilot)
        assert "No run is attached" in text(app)
        app.go("runs")
        app.attach(folder, place="votes")
        await settled(app, pilot)
        assert "submitted" in text(app)


async def test_what_answers_the_place_before_does_not_reach_the_one_just_switched_to(home, folder):
    async with opened(folder, desk=home, place="runs") as (app, pilot):
        await app.workers.wait_for_complete()
        late = Frame(folder, app.header, app.current_place.begin(), answered=True, body=())
        app.go("overview")
        app.on_frame_arrived(FrameArrived(late))
        assert not app.up_to_date
        await settled(app, pilot)
        assert "2 tasks" in text(app)


@pytest.mark.parametrize("places", [1, 3, 6])
async def test_the_app_ends_well_while_places_are_being_made(home, folder, places):
    app = CountingApp(folder, desk=desk_at(home))
    async with app.run_test(size=(120, 40)):
        await until(lambda: len(app.places_made()) >= places, "some are made")
    assert not app.is_running and app.return_code is None


def test_a_question_asked_again_before_its_answer_is_read_once():
    begun, answer, read, frames = threading.Event(), threading.Event(), [], []

    class Slow:
        def answer_without_run(self):
            read.append(1)
            begun.set()
            answer.wait(10)
            return len(read)

    arrived, question = threading.Event(), Slow()

    def post(frame):
        frames.append(frame)
        arrived.set()

    feed = Feed(post, frames.append, frames.append, seconds=0.01)
    feed.start()
    try:
        feed.ask(question)
        assert begun.wait(10)
        feed.ask(question)
        answer.set()
        assert arrived.wait(10)
        assert frames[0].body == 1
        arrived.clear()
        feed.ask(question)  # it has been answered: this is a wish for what is true now
        assert arrived.wait(10)
        assert frames[1].body == 2
    finally:
        feed.stop()


def test_every_key_of_a_widget_can_be_named_by_a_keymap_at_the_start():
    """In a process of its own, for the widgets that other tests have imported do not count."""
    code = "from soar_tui.widgets.bindings import widget_binding_ids as ids; print(*ids())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"wall.left", "list.up", "arms.sort", "source.down"} <= set(done.stdout.split())


def test_garbage_is_collected_again_after_an_import_that_fails():
    with pytest.raises(ImportError), uncollected():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()
