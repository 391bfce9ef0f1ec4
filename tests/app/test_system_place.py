"""System: the log stays where one reads it, or at its end."""

import pytest

from engine.control import LOG_NAME
from soar_tui.screens.system import gone
from tests.app.recorded import record, settings
from tests.app.stage import opened, settled, text, until


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "small", chosen=settings("sample:2"))


def lines(first, last):
    return "".join(f"line {number:04}\n" for number in range(first, last))


async def test_a_new_line_leaves_in_view_what_is_read(home, folder):
    log = folder / LOG_NAME
    log.write_text(lines(0, 300))
    async with opened(folder, desk=home, place="system") as (app, pilot):
        shown = app.current_place.query_one("#log")
        await until(lambda: "line 0299" in text(app), "the end of the log is shown")
        await pilot.press("F")
        await settled(app, pilot)
        assert "line 0299" in text(app), "where it was left"
        await pilot.press("ctrl+u")
        await settled(app, pilot)
        read = shown._lines[shown.scroll_offset.y]
        assert shown.scroll_offset.y > 0
        log.write_text(lines(0, 310))
        await until(lambda: shown._lines[-1][0][0] == "line 0309", "the new lines are read")
        await settled(app, pilot)
        assert shown._lines[shown.scroll_offset.y] == read
        log.write_text(lines(0, 450))  # so the first fifty are no longer read
        await until(lambda: shown._lines[-1][0][0] == "line 0449", "the new lines are read")
        await settled(app, pilot)
        assert shown._lines[0][0][0] == "line 0050"
        assert shown._lines[shown.scroll_offset.y] == read
        await pilot.press("F")
        await settled(app, pilot)
        assert "line 0449" in text(app)


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        ("", "a\nb", 0),
        ("a\nb", "a\nb\nc", 0),
        ("a\nb\nc", "b\nc\nd", 1),
        ("a\nbbb\nc\nd", "b\nc\nd\ne", 1),
        ("tail\nb\nc\nd", "c\nd\ne", 2),
        ("a\nb\nc", "x\ny\nz", 2),
    ],
)
def test_how_many_lines_the_end_of_a_log_has_lost(before, now, lost):
    assert gone(before, now) == lost
