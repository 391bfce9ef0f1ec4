"""Small and large terminals: what is kept where room is short, and that nothing is out of reach."""

import pytest
from rich.cells import cell_len

from engine.archive.writer import ArchiveWriter
from soar_tui.feed import Trouble
from soar_tui.keys import INSIDE, PLACES
from soar_tui.screens.help import Help
from soar_tui.screens.place import is_shown
from soar_tui.screens.rows import Column, Row, Rows
from soar_tui.widgets.candidate_row import RowContext, draw_candidate, titles
from tests.app.palettes import DARK
from tests.app.recorded import best_candidate, record, settings
from tests.app.screen import Stage, screen_lines
from tests.app.stage import opened, resized, settled, text
from tests.app.values import candidate_row

SMALL = (80, 24)
FLAT = (80, 23)
"""What tmux leaves of 80×24 for its status line."""
TINY = (60, 15)
ALL = [name for _, name, _ in (*PLACES, *INSIDE)]


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:3"))


@pytest.mark.parametrize("place", ["task", "candidates", "learn"])
async def test_a_maximised_pane_has_the_width_of_the_terminal(home, folder, place):
    async with opened(folder, desk=home, place=place) as (app, pilot):
        keys = screen_lines(app)[-1]
        await pilot.press("z")
        await settled(app, pilot)
        assert app.focused.size.width == 120
        assert screen_lines(app)[-1] == keys


async def test_the_selected_example_can_be_seen_in_a_narrow_terminal(home, folder):
    async with opened(folder, desk=home, size=SMALL, place="learn") as (app, pilot):
        assert "demonstration 1" not in text(app)
        await pilot.press("o")
        await settled(app, pilot)
        assert "demonstration 1" in text(app) and "def transform" in text(app)
        await pilot.press("o")
        await settled(app, pilot)
        assert "demonstration 1" not in text(app) and "what it is made of" in text(app)


async def test_what_narrows_the_candidates_is_said_in_any_width(home, folder):
    async with opened(folder, desk=home, size=SMALL, place="candidates") as (app, pilot):
        await pilot.press("slash", *"step_3", "enter")
        await settled(app, pilot)
        assert "candidates that hold “step_3” (esc: all)" in text(app)
        await pilot.press("escape", "slash", *"nowhere", "enter")
        await settled(app, pilot)
        assert "nothing matches these filters" in text(app)


async def test_of_a_crash_the_last_line_is_told_where_there_are_few(home):
    folder = await record(home / "runs" / "crashed", chosen=settings(iterations=3), searched=2)
    writer = ArchiveWriter(folder)
    writer.put_event("error", "crash", "MemoryError: the machine is full")
    await writer.flush()
    await writer.close()
    log = "one\ntwo\n" + "MemoryError: the machine is full " * 9
    (folder / "logs" / "engine.log").write_text(log)
    async with opened(folder, desk=home, size=SMALL) as (app, _pilot):
        told = screen_lines(app)
        steps = next(place for place, line in enumerate(told) if "Sample" in line)
        said = " ".join(line.strip() for line in told[2 : steps - 1])
        assert said.endswith("the machine is full. r starts it again where it was.")
        assert told[steps - 1].endswith("…") and "two" not in told


async def test_counters_are_laid_out_anew_for_another_size(home, folder):
    async with opened(folder, desk=home) as (app, pilot):
        assert "right on every demonstration" in text(app)
        await resized(app, pilot, *SMALL)
        await settled(app, pilot)
        assert "100 % solved (3 of 3)" in text(app) and "s time" in text(app)


async def test_help_and_the_form_of_a_new_run_cut_nothing(home, folder):
    async with opened(folder, desk=home, size=SMALL, place="candidates") as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        shown = app.screen.query_one("Static")
        assert max(map(cell_len, str(shown.visual).split("\n"))) <= shown.size.width
        await pilot.press("escape", "0", "n")
        await settled(app, pilot)
        assert "the demo's" in text(app)


async def test_a_run_to_go_on_with_is_not_told_to_go_round_once_more(home):
    chosen = settings("sample:3", iterations=1)
    folder = await record(home / "runs" / "begun", chosen=chosen, searched=0)
    writer = ArchiveWriter(folder)
    writer.begin_iteration(0, "test", "grammar", "untrained")
    await writer.flush()
    await writer.close()
    async with opened(folder, desk=home, place="learn") as (app, _pilot):
        assert "goes on with its search" in text(app)
        assert "once more" not in text(app)


@pytest.mark.parametrize("width", range(54, 90))
def test_a_candidates_columns_are_whole_or_left_out(width):
    context = RowContext(pairs={0: 4})
    head = titles(width, context, DARK).text
    line = draw_candidate(candidate_row(7), width, context, DARK).text
    assert "…" not in head + line
    assert len(head) == len(line) == width


async def test_texts_give_way_to_figures_in_a_table():
    rows = Rows((Column("task", most=40), Column("solved", "right"), Column("as", most=20)))
    rows.show(
        [Row(1, (("a name that is long indeed", "text"), ("12,345", "text"), ("x" * 18, "text")))]
    )
    app = Stage(rows)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        [title, line] = screen_lines(app)[:2]
        assert "12,345" in line and line.count("…") == 2
        assert title.index("solved") + len("solved") == line.index("12,345") + len("12,345")


async def test_the_best_candidates_facts_are_whole_in_a_narrow_terminal(home, folder):
    async with opened(folder, desk=home, size=SMALL) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        for place in ("chain", "diff", "prompt"):
            app.go(place)
            await settled(app, pilot)
            assert "tests: right" in text(app)


@pytest.mark.parametrize("size", [FLAT, TINY], ids=["80x23", "60x15"])
async def test_what_has_focus_at_first_is_in_view_in_any_terminal(home, folder, size):
    async with opened(folder, desk=home, size=size) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        for place in ALL:
            app.go(place)
            await settled(app, pilot)
            assert app.focused is not None and is_shown(app.focused), place
            assert app.focused.size.height > 0, place
            seen = text(app)
            await pilot.press("z")
            await settled(app, pilot)
            assert app.screen.maximized is app.focused and text(app).strip(), place
            await pilot.press("z")
            await settled(app, pilot)
            assert text(app) == seen, place


async def test_keys_move_no_list_that_the_terminal_has_no_room_for(home, folder):
    async with opened(folder, desk=home, size=FLAT, place="task") as (app, pilot):
        await pilot.press("j", "j", "k")
        await settled(app, pilot)
        assert app.view.candidate is None and "best so far" in text(app)


@pytest.mark.parametrize(
    ("place", "pane", "left"),
    [("prompt", "#reply", "what the policy was given"), ("task", "#candidates", "demonstration 1")],
)
async def test_focus_leaves_a_pane_that_a_smaller_terminal_hides(home, folder, place, pane, left):
    async with opened(folder, desk=home, size=SMALL) as (app, pilot):
        app.look(candidate=best_candidate(folder))
        app.go(place)
        await settled(app, pilot)
        app.screen.query_one(pane).focus()
        await pilot.press("z")
        await settled(app, pilot)
        assert app.screen.maximized is app.focused
        await resized(app, pilot, *FLAT)
        await settled(app, pilot)
        assert app.focused is not None and is_shown(app.focused) and left in text(app)


async def test_figures_keep_their_table_where_there_is_no_room_for_curves(home, folder):
    async with opened(folder, desk=home, size=TINY, place="analysis") as (app, _pilot):
        solved = app.current_place.figures[0]
        share = next(cell for cell in solved.rows[0] if "%" in cell)
        assert solved.lines and share in text(app)


async def test_a_maximised_pane_hides_no_state(home, folder):
    async with opened(folder, desk=home, place="arms") as (app, pilot):
        await pilot.press("z")
        await settled(app, pilot)
        app.current_place.take(Trouble("the disk is gone"))
        await settled(app, pilot)
        assert "the disk is gone" in text(app)
