"""What keys do: every one of every place, and that a refused one says why."""

from inspect import getsource
from typing import get_args

import pytest

from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.config import Formula
from engine.control.lock import EngineLock
from soar_tui import actions, keys
from soar_tui.keys import EVERYWHERE, INSIDE, OF_PLACE, PLACES
from soar_tui.screens.help import Help
from soar_tui.view import View, from_document
from soar_tui.widgets.bindings import widget_binding_ids
from soar_tui.widgets.candidate_list import CandidateList
from tests.app.recorded import best_candidate, record, settings
from tests.app.stage import desk_at, opened, settled, text, until
from tests.app.test_screens_engine import (
    test_one_key_begins_the_demo as begins_the_demo,
)
from tests.app.test_screens_engine import (
    test_two_apps_tell_the_truth_of_an_engine_that_dies_and_comes_back as with_an_engine,
)

ALL = [name for _, name, _ in (*PLACES, *INSIDE)]


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:3"))


def toasts(app):
    return [note.message for note in app._notifications]


def pressed(key):
    return key.keys.split(",")[0]


def test_every_key_has_a_handler():
    from importlib import import_module

    for key in EVERYWHERE:
        assert actions.handled(key.id), key.id
    for place, table in OF_PLACE.items():
        screen = import_module(f"soar_tui.screens.{place}").PLACE
        for key in table:
            name = f"do_{key.id.replace('-', '_')}"
            reason_only = place == "learn" and key.id in ("train", "activate", "roll-back")
            assert reason_only or hasattr(screen, name), (place, key.id)


def test_no_place_gives_one_key_two_meanings():
    for place, table in OF_PLACE.items():
        every = [key for entry in table for key in entry.keys.split(",")]
        assert len(every) == len(set(every)), place


@pytest.mark.parametrize("place", ALL)
async def test_every_key_of_every_place_acts_or_says_why_not(home, folder, place):
    candidate = best_candidate(folder)
    async with opened(folder, desk=home, size=(80, 24)) as (app, pilot):
        app.look(candidate=candidate, task=1)
        app.go(place)
        await settled(app, pilot)
        for key in (*OF_PLACE[place], *EVERYWHERE):
            if key.id in ELSEWHERE:
                continue
            app.clear_notifications()
            reason = app.why_not(key.id)
            taken = app.screen.active_bindings[pressed(key)].binding.action
            await pilot.press(pressed(key))
            await pilot.pause()
            if reason is not None and taken == f"app.act({key.id!r})":
                assert reason in toasts(app), (key.id, reason, toasts(app))
            await back_to(app, pilot, place, candidate)
        for pane in panes(app):
            for binding in bindings_of(pane):
                pane.focus()
                await pilot.press(binding.key.split(",")[0])
                await pilot.pause()
                await back_to(app, pilot, place, candidate)


def panes(app):
    """Return what of a place can have focus, but for the line of the filter."""
    return [pane for pane in app.screen.query("#content *") if pane.focusable]


def bindings_of(pane):
    """Return the keys that a widget of ours brings."""
    kinds = [kind for kind in type(pane).__mro__ if kind.__module__.startswith("soar_tui.")]
    return [binding for kind in kinds for binding in kind.__dict__.get("BINDINGS", ())]


async def test_the_panes_of_all_places_bring_every_key_of_the_widgets(home, folder):
    walked = set()
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        for place in ALL:
            app.go(place)
            await settled(app, pilot)
            walked |= {binding.id for pane in panes(app) for binding in bindings_of(pane)}
    assert walked == widget_binding_ids()


def test_keys_left_out_of_the_walk_are_pressed_by_tests_of_their_own():
    for key, test in ELSEWHERE.items():
        place = "runs" if key in ("demo", "resume-run") else ""
        assert repr(pressed(keys.find(key, place))).replace("'", '"') in getsource(test), key


async def back_to(app, pilot, place, candidate):
    """Undo whatever a key did to screens, panes and selection."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
    if app.screen.maximized is not None:
        app.screen.minimize()
    if app.current_place.query_one("#filter").display:
        app.current_place.end_filter()
        await pilot.pause()
    if app.current_mode != place:
        app.go(place)
        await settled(app, pilot)
    app.look(candidate=candidate, text="", whole_run=False, marked=False)
    await until(lambda: app.up_to_date, f"{place} is back")


async def test_places_are_switched_by_key_and_gone_back_from(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        await pilot.press("3")
        await settled(app, pilot)
        await pilot.press("4")
        await settled(app, pilot)
        assert app.current_mode == "votes"
        await pilot.press("minus")
        await settled(app, pilot)
        assert app.current_mode == "arms"
        await pilot.press("minus")
        await settled(app, pilot)
        assert app.current_mode == "votes"
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.current_mode == "arms"


async def test_every_place_has_its_key(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        for key in ("5", "c", "d", "v", "1", "2", "3", "4", "6", "7", "8", "0"):
            await pilot.press(key)
            await settled(app, pilot)
            assert app.current_mode == {k: name for k, name, _ in (*PLACES, *INSIDE)}[key]


async def test_leaving_says_that_the_engine_goes_on(home, folder):
    with EngineLock(folder):
        async with opened(folder, desk=home) as (app, pilot):
            await until(lambda: app.header is not None, "the run's state is known")
            await pilot.press("q")
            await until(lambda: not app.is_running, "the app is left")
            assert "small goes on by itself" in str(app._exit_renderables[0])


async def test_a_click_on_the_bar_goes_there(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        column = text(app).splitlines()[1].index("4 Votes")
        await pilot.click("#bar", offset=(column + 2, 0))
        await settled(app, pilot)
        assert app.current_mode == "votes"


@pytest.mark.parametrize(
    ("place", "word", "done"),
    [
        ("candidates", "F follow", "following the newest"),
        ("arms", "f narrow", "pulled, by pulls"),
        ("arms", "F follow", "following the pulled arm"),
        ("overview", "⏎ open task", "demonstration 1"),
    ],
)
async def test_a_click_on_a_key_presses_it(home, folder, place, word, done):
    async with opened(folder, desk=home, place=place) as (app, pilot):
        [column] = [line.index(word) for line in text(app).splitlines() if word in line]
        assert done not in text(app)
        await pilot.click("#keys", offset=(column + 1, 0))
        await settled(app, pilot)
        assert done in text(app)


async def test_help_lists_what_dispatches(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        listed = dict(line for _, lines in app.screen._sections for line in reversed(lines))
        told = {about: which for which, about in listed.items()}
        assert told["rank by another formula: sum, text, appendix …"] == "f"
        assert told["pause the engine (work under way finishes), or go on"] == "p"
        assert told["go to a place of the bar"].startswith("0 1 2")
        assert "rank by another formula" in text(app)


async def test_the_palette_finds_actions_and_says_why_they_are_off(home, folder):
    async with opened(folder, desk=home) as (app, _pilot):
        found = {command.title: command.help for command in app.get_system_commands(app.screen)}
    assert "go to Votes" in found["Votes (4)"]
    assert "no engine is running" in found["pause engine (p)"]


async def test_the_palette_shows_reasons_that_hold_markup_as_they_are(home):
    odd = home / "runs" / "odd"
    odd.mkdir(parents=True)
    (odd / "run.toml").write_text('[policy]\nkind = "[/]"\n')
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("colon", *"resume")
        await until(lambda: "not now: " in text(app) and "[/]" in text(app), "the reason is shown")


async def test_the_users_keymap_changes_dispatch_help_and_key_line(home, folder):
    path = keys.keymap_path()
    path.parent.mkdir(parents=True)
    path.write_text('[keys]\ngo-votes = "V"\n"votes.formula" = "w"\nnonsense = "x"\nhelp = 3\n')
    async with opened(folder, desk=home) as (app, pilot):
        told = "\n".join(toasts(app))
        assert "nonsense" in told and "help" in told
        await pilot.press("V")
        await settled(app, pilot)
        assert app.current_mode == "votes"
        assert "w formula" in text(app)
        before = app.current_place._body.ranking.formula
        await pilot.press("w")
        await settled(app, pilot)
        assert app.current_place._body.ranking.formula != before


async def test_a_finished_run_opened_from_the_list_has_its_pictures_on_the_wall(home, folder):
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("enter")
        await settled(app, pilot)
        assert app.current_mode == "overview"
        assert "╔✓" in text(app) and text(app).count("┌") == 2


async def test_walking_from_the_wall_to_a_candidates_chain(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        await pilot.press("right", "enter")
        await settled(app, pilot)
        assert (app.current_mode, app.view.task) == ("task", 1)
        await pilot.press("5")
        await settled(app, pilot)
        await pilot.press("o", "o")  # only refinements
        await settled(app, pilot)
        assert app.view.operator == "refine"
        await pilot.press("down", "enter")
        await settled(app, pilot)
        assert app.current_mode == "chain"
        with RunReader(folder) as reader:
            chain = reader.chain(app.view.candidate)
        assert chain[-1].operator == "refine"
        await pilot.press("h")
        await settled(app, pilot)
        assert app.view.candidate == chain[-2].id
        await pilot.press("d")
        await settled(app, pilot)
        assert app.current_mode == "diff"


@pytest.mark.parametrize(
    ("place", "pane"), [("task", "#pairs"), ("chain", "#film"), ("votes", "#grids")]
)
async def test_pictures_are_scrolled_as_any_text_is(home, folder, place, pane):
    async with opened(folder, desk=home, size=(80, 24)) as (app, pilot):
        app.look(candidate=best_candidate(folder), task=1, digits=True)
        app.go(place)
        await settled(app, pilot)
        pictures = app.screen.query_one(pane)
        pictures.focus()
        await pilot.pause()
        for there, back in (("j", "k"), ("ctrl+d", "ctrl+u")):
            seen = text(app)
            await pilot.press(there)
            await settled(app, pilot)
            assert text(app) != seen, there
            await pilot.press(back)
            await settled(app, pilot)
            assert text(app) == seen, back


async def test_h_in_the_source_of_a_candidate_changes_no_filter(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        app.screen.query_one("#source").focus()
        await pilot.press("h", "left")
        await settled(app, pilot)
        assert app.view.accuracy == "any" and "right: any" in text(app)


async def test_formulas_are_switched_and_the_ranks_with_them(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        seen = set()
        for _ in get_args(Formula):
            await pilot.press("f")
            await settled(app, pilot)
            seen.add(app.current_place._body.ranking.formula)
        assert seen == set(get_args(Formula))


async def test_what_stands_behind_a_pattern_is_listed(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        pattern = app.current_place._body.ranking.patterns[0]
        await pilot.press("enter")
        await settled(app, pilot)
        assert app.current_mode == "candidates"
        with RunReader(folder) as reader:
            query = CandidateQuery(iteration=1, task=0, pattern=pattern.id)
            count = len(reader.candidates(query, limit=1000).rows)
        assert f"of {count} candidates" in text(app)
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.view.pattern is None and app.current_mode == "candidates"


async def test_sources_are_searched(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("slash", *"step_3", "enter")
        await settled(app, pilot)
        with RunReader(folder) as reader:
            query = CandidateQuery(iteration=1, task=0, text="step_3")
            count = len(reader.candidates(query, limit=1000).rows)
        assert 0 < count < 44
        assert f"of {count} candidates" in text(app)
        await pilot.press("n")
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.view.text == "" and "of 44 candidates" in text(app)


async def test_the_list_of_the_whole_run_stands_on_the_selected_candidate(home, folder):
    with RunReader(folder) as reader:
        far = reader.candidates(CandidateQuery(iteration=1, task=2), limit=20).rows[-1]
        early = reader.candidates(CandidateQuery(), limit=1).rows[0]
    async with opened(folder, desk=home) as (app, pilot):
        app.look(whole_run=True, candidate=far.id)
        await pilot.press("5")
        await settled(app, pilot)
        listed = app.current_place.query_one("#list", CandidateList)
        assert listed.selected.id == far.id == app.view.candidate
        await pilot.press("c")
        await settled(app, pilot)
        app.look(candidate=early.id)  # as h and l do there
        await pilot.press("5")
        await settled(app, pilot)
        assert listed.selected.id == early.id == app.view.candidate


async def test_copies_go_to_the_clipboard_and_to_a_file_that_is_named(home, folder):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        await pilot.press("y")
        await pilot.pause()
        source = app.current_place._body.detail.candidate.source
        assert app.clipboard == source
        written = list((home / "cache").rglob("*.py"))
        assert [path.read_text() for path in written] == [source]
        assert str(written[0]) in "\n".join(toasts(app))


@pytest.mark.parametrize("place", [name for name in ALL if name not in ("runs",)])
async def test_every_place_exports_what_it_shows(home, folder, place):
    async with opened(folder, desk=home) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        app.go(place)
        await settled(app, pilot)
        await pilot.press("e")
        await pilot.pause()
        files = list((folder / "exports").iterdir())
        assert files and all(path.stat().st_size for path in files)


async def test_bookmarks_and_notes_are_kept_and_listed(home, folder):
    async with opened(folder, desk=home, place="candidates") as (app, pilot):
        await pilot.press("down", "down")
        await settled(app, pilot)
        marked = app.view.candidate
        await pilot.press("b", *"look here", "enter")
        await settled(app, pilot)
        await pilot.press("m")
        await settled(app, pilot)
        assert "1 of 1 candidates" in text(app)
    desk = desk_at(home)
    assert desk.bookmarks(folder) == {marked}
    assert desk.note(folder, marked) == "look here"


async def test_maximising_gives_a_pane_the_screen_and_takes_it_back(home, folder):
    async with opened(folder, desk=home, place="votes") as (app, pilot):
        height = app.focused.size.height
        await pilot.press("z")
        await settled(app, pilot)
        assert app.focused.size.height > height
        await pilot.press("z")
        await settled(app, pilot)
        assert app.focused.size.height == height


async def test_digits_are_written_into_cells(home, folder):
    async with opened(folder, desk=home, place="task") as (app, pilot):
        before = text(app)
        await pilot.press("g")
        await settled(app, pilot)
        assert sum(map(str.isdigit, text(app))) > sum(map(str.isdigit, before)) + 20


async def test_digits_stay_when_the_app_is_opened_again_and_belong_to_the_run(home, folder):
    other = await record(home / "runs" / "other", chosen=settings("sample:3"))
    async with opened(folder, desk=home, place="task") as (app, pilot):
        plain = text(app)
        await pilot.press("g")
        await settled(app, pilot)
        digits = text(app)
        assert digits != plain
    async with opened(folder, desk=home) as (app, pilot):
        assert app.current_mode == "task" and text(app) == digits
        app.attach(other, place="task")
        await settled(app, pilot)
        assert sum(map(str.isdigit, text(app))) < sum(map(str.isdigit, digits)) - 20
        app.attach(folder)
        await settled(app, pilot)
        assert text(app) == digits


async def test_a_theme_is_chosen_for_good(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        before = app.theme
        await pilot.press("t")
        await pilot.pause()
        chosen = app.theme
        assert chosen != before
    async with opened(folder, desk=home) as (app, pilot):
        assert app.theme == chosen


async def test_the_view_comes_back(home, folder):
    async with opened(folder, desk=home, place="arms") as (app, pilot):
        app.look(task=2)
        await settled(app, pilot)
    async with opened(folder, desk=home) as (app, pilot):
        assert (app.current_mode, app.view.task) == ("arms", 2)


def test_a_view_of_another_version_is_a_fresh_one():
    assert from_document({"place": 3}) == View()
    assert from_document("nonsense") == View()


async def test_comparing_two_runs(home, folder):
    await record(home / "runs" / "other", chosen=settings("sample:3"), seed=5)
    async with opened(None, desk=home) as (app, pilot):
        await pilot.press("c", "down", "c")
        await settled(app, pilot)
        assert app.current_mode == "analysis"
        seen = text(app)
        assert "side by side" in seen and "small:2" in seen and "other:2" in seen


async def test_keys_that_need_a_run_say_so_without_one(home):
    async with opened(None, desk=home) as (app, pilot):
        for key in ("p", "X", "space"):
            app.clear_notifications()
            await pilot.press(key)
            await pilot.pause()
            assert any("no run is attached" in told for told in toasts(app)), key
        await until(lambda: "There is no run yet" in text(app), "the way to begin is shown")


ELSEWHERE = {
    "quit": test_leaving_says_that_the_engine_goes_on,
    "theme": test_a_theme_is_chosen_for_good,
    "demo": begins_the_demo,
    "resume-run": with_an_engine,
    **{f"go-{name}": test_every_place_has_its_key for _, name, _ in (*PLACES, *INSIDE)},
}
"""Keys that end the app, start an engine or go far, each with the test that presses it."""
