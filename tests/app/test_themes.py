import pytest
from rich.color import ColorSystem

from soar_tui.themes import ARC_DEFAULTS, ThemeError, load_themes, read_theme
from soar_tui.widgets.grid import GridView
from soar_tui.widgets.palette import palette_of
from tests.app.screen import Stage
from tests.app.values import grid

GOOD = """
name = "mine"
dark = true
[colours]
primary = "#ff0000"
[arc]
0 = "black"
1 = "#010101"
2 = "#020202"
3 = "#030303"
4 = "#040404"
5 = "#050505"
6 = "#060606"
7 = "#070707"
8 = "rgb(8, 8, 8)"
9 = "#090909"
"""


def test_our_themes_all_load_and_keep_ten_colours_apart():
    loaded = load_themes()
    assert loaded.faults == ()
    names = {theme.name for theme in loaded.themes}
    assert {"dark", "light", "high-contrast", "colour-blind", "mono"} <= names
    for theme in loaded.themes:
        assert len({theme.variables[name] for name in ARC_DEFAULTS}) == 10, theme.name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("primary", "secondary"), "primary: must be there"),
        (('"#ff0000"', '"auto"'), "primary: 'auto' is no opaque colour"),
        (('"#ff0000"', '"ansi_red"'), "is no opaque colour"),
        (('"#ff0000"', '"#ff000080"'), "is no opaque colour"),
        (('"#ff0000"', "12"), "primary: '12' is no opaque colour"),
        (('9 = "#090909"', ""), r"\[arc\] 9: must be there"),
        (("[colours]", "[colors]"), "colors: no such key"),
        (("dark = true", "dark = 1"), "dark: must be true or false"),
        (('"mine"', '""'), "name: must be 1 to 40"),
        (('"mine"', '"a\\u001b"'), "name: must be 1 to 40"),
        (("primary =", "prim ="), "primary: must be there"),
        (('primary = "#ff0000"', 'primary = "#ff0000"\nbeauty = "#fff"'), "beauty: no such key"),
        (("[arc]", "[arc"), "not TOML"),
    ],
)
def test_a_theme_that_cannot_be_used_says_which_key_and_what_is_allowed(tmp_path, change, named):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ThemeError, match=named) as raised:
        read_theme(path)
    assert "mine.toml" in str(raised.value)


def test_a_broken_file_is_a_fault_and_the_others_still_load(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "notes.txt").write_text("not a theme", encoding="utf-8")
    (tmp_path / "folder.toml").mkdir()
    loaded = load_themes([tmp_path, tmp_path / "missing"])
    assert [theme.name for theme in loaded.themes] == ["mine"]
    assert sorted(fault.path.name for fault in loaded.faults) == ["bad.toml", "folder.toml"]
    assert all(fault.text.isprintable() for fault in loaded.faults)


def test_a_users_theme_replaces_ours_of_the_same_name(tmp_path):
    ours, users = tmp_path / "ours", tmp_path / "users"
    for folder, colour in ((ours, "#ff0000"), (users, "#00ff00")):
        folder.mkdir()
        (folder / "a.toml").write_text(GOOD.replace("#ff0000", colour), encoding="utf-8")
    [theme] = load_themes([ours, users]).themes
    assert theme.primary == "#00ff00"


async def test_a_theme_without_grid_colours_gets_the_usual_ones():
    app = Stage(GridView(grid(1)), theme="ansi-dark")
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert [colour.hex.lower() for colour in palette_of(app).arc] == list(ARC_DEFAULTS.values())


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "colour-blind"])
async def test_sixteen_colours_keep_ten_cells_apart(theme):
    app = Stage(GridView(grid(1)), theme=theme, colours="standard")
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        shown = [
            colour.rich_color.downgrade(ColorSystem.STANDARD) for colour in palette_of(app).arc
        ]
    assert len({colour.number for colour in shown}) == 10
