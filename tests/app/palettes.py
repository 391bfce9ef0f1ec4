"""A palette for tests of pure drawing."""

from textual.color import Color

from soar_tui.themes import ARC_DEFAULTS
from soar_tui.widgets.palette import Palette

DARK = Palette(
    "truecolor",
    tuple(Color.parse(colour) for colour in ARC_DEFAULTS.values()),
    *(
        Color.parse(colour)
        for colour in (
            "#16161e",
            "#1a1b26",
            "#24283b",
            "#c0caf5",
            "#7aa2f7",
            "#e0af68",
            "#9ece6a",
            "#e0af68",
            "#f7768e",
        )
    ),
)
