"""What a user sees and hears of each widget, in a small app around it."""

from rich.color import ColorSystem
from textual.containers import Vertical

from soar_tui.screens.chrome import KeyLine
from soar_tui.widgets.arm_table import ArmTable
from soar_tui.widgets.chain_tree import ChainTree
from soar_tui.widgets.curve import Axes, CurveView, Series
from soar_tui.widgets.event_log import EventLog, LogEvent
from soar_tui.widgets.filmstrip import Filmstrip
from soar_tui.widgets.grid_pair import PairView
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.source_view import SourceView
from soar_tui.widgets.stepper import Step, Stepper
from soar_tui.widgets.task_wall import TaskWall
from soar_tui.widgets.vote_bars import VoteBars, VoteGrids
from tests.app.screen import Stage, listening, screen_lines, screen_text
from tests.app.stage import resized
from tests.app.values import (
    HOSTILE,
    SOURCE,
    arms,
    chain,
    film,
    pair_rows,
    patterns,
    wall_tasks,
)


async def test_pairs_are_drawn_with_their_verdicts(snapshot):
    view = PairView()
    view.show(pair_rows())
    app = Stage(view)
    async with app.run_test(size=(80, 60)) as pilot:
        await pilot.pause()
        view.digits = True
        await pilot.pause()
        snapshot(app, "widget-pairs-digits")
        text = screen_text(app)
        assert "produced ✓" in text
        assert "produced ✗ 3 wrong" in text
        assert "✗ exception" in text
        assert "submission 1 ?" in text
        view.digits = False
        await pilot.pause()
        assert screen_text(app).count("><") == 3


async def test_with_half_cells_the_wrong_ones_get_a_picture_of_their_own():
    view = PairView()
    view.show(pair_rows())
    app = Stage(view)
    async with app.run_test(size=(44, 60)) as pilot:
        await pilot.pause()
        assert "only wrong" in screen_text(app)


async def test_every_task_is_on_the_wall_and_states_are_told_by_sign(snapshot):
    wall = TaskWall()
    wall.show(wall_tasks(40))
    app = Stage(wall)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        snapshot(app, "widget-wall-40")
        await resized(app, pilot, 60, 8)
        snapshot(app, "widget-wall-40-small")
        signs = "".join(screen_lines(app)[1:]).replace(" ", "")
        assert len(signs) == 40


async def test_the_cursor_walks_over_the_wall_and_enter_opens():
    wall = TaskWall()
    wall.show(wall_tasks(40))
    app = Stage(wall)
    async with app.run_test(size=(80, 24), message_hook=listening(app)) as pilot:
        await pilot.press("l", "l", "j", "h", "enter")
        await pilot.pause()
        per_row = 79 // 8
        assert app.heard(TaskWall.Moved)[-1].task.index == per_row + 1
        assert app.heard(TaskWall.Chosen)[-1].task.index == per_row + 1
        await pilot.press("end", "down", "right")
        assert wall.selected.index == 39
        await pilot.press("home", "up", "left")
        assert wall.selected.index == 0
        await pilot.press("w", "pagedown", "enter")
        assert wall.selected.index == app.heard(TaskWall.Chosen)[-1].task.index


async def test_the_wall_scrolls_with_its_cursor():
    wall = TaskWall()
    wall.show(wall_tasks(200))
    wall.density = "pictures"
    app = Stage(wall)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert "╔" in screen_text(app)
        await pilot.click(wall, offset=(1, 2))
        assert wall.selected.index < 199


async def test_a_task_that_changes_its_state_is_all_that_is_sent():
    wall = TaskWall()
    tasks = wall_tasks(40)
    wall.show(tasks)
    app = Stage(wall)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.sent_bytes()
        wall.set_states({task.index: task.state for task in tasks})
        await pilot.pause()
        assert app.sent_bytes() == 0
        wall.set_states({11: "right", 999: "wrong"})
        await pilot.pause()
        some = app.sent_bytes()
        wall.repaint()
        await pilot.pause()
        assert 0 < some < app.sent_bytes() / 8


async def test_arms_are_listed_with_their_posteriors(snapshot):
    table = ArmTable()
    table.show(arms(60), lit={7})
    app = Stage(table)
    async with app.run_test(size=(100, 16)) as pilot:
        await pilot.pause()
        snapshot(app, "widget-arms")
        await resized(app, pilot, 80, 12)
        snapshot(app, "widget-arms-80")


async def test_the_cursor_stays_on_its_arm_when_the_order_changes():
    table = ArmTable()
    some = arms(60)
    table.show(some)
    app = Stage(table)
    async with app.run_test(size=(100, 16), message_hook=listening(app)) as pilot:
        await pilot.press("j", "j", "j")
        held = table.selected.id
        await pilot.press("s", "s")
        assert table.order == "accuracy"
        assert table.selected.id == held
        await pilot.press("s", "s", "s", "s", "s", "f")
        assert {arm.pulls > 0 for arm in table.arms_shown} == {True}
        await pilot.press("end", "enter")
        await pilot.pause()
        assert app.heard(LineList.Chosen)[-1].line == len(table.arms_shown) - 1


async def test_an_arm_that_another_takes_the_place_of_is_told():
    table = ArmTable()
    some = arms(60)
    table.show(some)
    app = Stage(table)
    async with app.run_test(size=(100, 16), message_hook=listening(app)) as pilot:
        table.show(some)
        await pilot.pause()
        assert app.heard(LineList.Moved) == []
        table.show([arm for arm in some if arm.id != table.selected.id])
        await pilot.pause()
        assert app.heard(LineList.Moved)
        app.told.clear()
        table.show(())
        await pilot.pause()
        assert app.heard(LineList.Moved)


async def test_a_pull_repaints_only_its_arms_line():
    table = ArmTable()
    some = arms(60)
    table.show(some)
    table.order = "number"
    app = Stage(table)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        app.sent_bytes()
        table.show(some)
        await pilot.pause()
        assert app.sent_bytes() == 0
        table.show(some, lit={4})
        await pilot.pause()
        some_bytes = app.sent_bytes()
        table.repaint()
        await pilot.pause()
        assert 0 < some_bytes < app.sent_bytes() / 6


async def test_the_vote_tells_what_is_submitted_and_what_was_missed(snapshot):
    bars, grids = VoteBars(), VoteGrids()
    bars.show(patterns(), "sum")
    grids.show(patterns())
    grids.digits = True
    bars.styles.height = 8
    app = Stage(Vertical(bars, grids))
    async with app.run_test(size=(100, 26)) as pilot:
        await pilot.pause()
        snapshot(app, "widget-vote")
        assert "the right one ranks #3" in screen_text(app)
        assert "missed" in screen_lines(app)[4]
        bars.show(patterns(right=None), "text")
        await pilot.pause()
        assert "truth unknown" in screen_text(app)
        assert "✗" not in "".join(screen_lines(app)[:8])


async def test_ranks_that_move_take_the_cursor_along():
    bars = VoteBars()
    bars.show(patterns(), "sum")
    app = Stage(bars)
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.press("j")
        held = bars.selected.id
        bars.show(list(reversed(patterns())), "appendix")
        await pilot.pause()
        assert bars.selected.id == held
        assert bars.cursor == 3


async def test_a_source_is_numbered_searched_and_compared(snapshot):
    view = SourceView()
    view.show_source(SOURCE)
    app = Stage(view)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert screen_lines(app)[5].split()[:3] == ["6", "def", "transform(grid):"]
        assert view.find("A[") == 2
        assert view.next_match()
        assert view.scroll_offset.y == view.max_scroll_y > 0
        assert view.find("") == 0
        assert not view.next_match()
        view.show_diff(SOURCE, SOURCE.replace("::-1", "::1"))
        await pilot.pause()
        snapshot(app, "widget-diff")
        assert [line for line in screen_lines(app) if line.startswith("-")] == [
            "-         a = a[:, ::-1]"
        ]
        view.show_diff(SOURCE, SOURCE)
        await pilot.pause()
        assert screen_lines(app)[0] == "no line differs"


async def test_a_line_of_a_megabyte_scrolls_to_where_it_is_cut():
    view = SourceView()
    view.show_source("x = '" + "a" * 1_000_000 + "'")
    app = Stage(view)
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        view.go_to(0, view.max_scroll_x)
        await pilot.pause()
        assert screen_lines(app)[0].endswith("… 996,006 more characters")


async def test_keys_that_would_refuse_can_be_read_in_16_colours():
    line = KeyLine()
    app = Stage(line, colours="standard")
    async with app.run_test(size=(60, 3)):
        line.show(
            [
                ("app.act('copy')", "y", "copy", True),
                ("app.act('filter')", "slash", "filter", False),
                ("app.act('help')", "question_mark", "help", True),
            ]
        )
        for _, style, _ in line.render_line(0):
            ink, ground = (
                colour.downgrade(ColorSystem.STANDARD) for colour in (style.color, style.bgcolor)
            )
            assert ink != ground


async def test_a_chain_is_a_tree_with_the_line_of_descent(snapshot):
    tree, strip = ChainTree(), Filmstrip()
    tree.show(chain(), 9)
    strip.show(film())
    strip.digits = True
    tree.styles.height = 7
    app = Stage(Vertical(tree, strip))
    async with app.run_test(size=(90, 32)) as pilot:
        await pilot.pause()
        snapshot(app, "widget-chain")
        assert tree.selected.id == 9
        await pilot.press("k", "k")
        assert tree.selected.id == 1


async def test_curves_steps_and_events_share_a_screen(snapshot):
    steps, curve, log = Stepper(), CurveView(), EventLog()
    steps.show(
        [
            Step("Sample", "done", 3000, 3000),
            Step("Refine", "running", 1240, 3000, 812.4, 133),
            Step("Vote", "waiting", 0, 400),
            Step("Learn", "skipped"),
        ]
    )
    curve.show(
        [
            Series("vote", tuple((x, x / (x + 9)) for x in range(20))),
            Series("oracle", tuple((x, x / (x + 5)) for x in range(20)), "accent"),
        ],
        Axes(low=0, high=1, percent=True, x_name="iteration"),
    )
    app = Stage(steps, curve, log)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert [line.split()[:1] for line in screen_lines(app)[:1]] == [["✓"]]
        log.add([LogEvent(0.0, "info", "task", f"task {n} is done") for n in range(5000)])
        await pilot.pause()
        assert log.rows == 2000
        assert "task 4999 is done" in screen_lines(app)[-1]
        await pilot.press("k")
        log.add([LogEvent(0.0, "error", "task", "one more")])
        await pilot.pause()
        assert log.selected.text == "task 4998 is done"
        log.clear()
        await pilot.pause()
        snapshot(app, "widget-overview-parts")


def hostile_widgets():
    wall, log, view, pairs, tree = TaskWall(), EventLog(), SourceView(), PairView(), ChainTree()
    wall.show(wall_tasks(3, name=HOSTILE + "{}"))
    log.add([LogEvent(0.0, "info", HOSTILE, HOSTILE)])
    view.show_source(f"# {HOSTILE}\n" + "[/x] \x1b[2J" * 5)
    pairs.show(pair_rows())
    tree.show(chain(), 11)
    curve = CurveView()
    curve.show([Series(HOSTILE, ((0, 1), (1, 2)))], Axes(x_name=HOSTILE))
    steps = Stepper()
    steps.show([Step(HOSTILE, "running")])
    return [wall, log, view, pairs, tree, curve, steps]


async def test_no_hostile_text_reaches_the_terminal_raw():
    app = Stage(*hostile_widgets())
    async with app.run_test(size=(120, 70)) as pilot:
        await pilot.pause()
        shown = "".join(screen_lines(app))
        assert "\\x1b[31mred" in shown
        assert not set("\x1b\x07\u202e\u200b") & set(shown)
        # What is sent holds escape sequences of our own only: colours and cursor moves.
        assert "\x1b]52" not in "".join(app.sent)
        assert "\x1b[2J" not in "".join(app.sent)


async def test_idle_widgets_send_nothing_and_run_no_timers():
    app = Stage(*hostile_widgets())
    async with app.run_test(size=(120, 70)) as pilot:
        await pilot.pause()
        app.sent_bytes()
        await pilot.pause()
        assert app.sent_bytes() == 0
        # Textual has no public list of timers.
        assert not [timer for node in app.query("*") for timer in node._timers]
