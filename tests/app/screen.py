"""Small apps around one widget, and what they put on the screen and send to the terminal."""

from rich.console import Console
from textual.app import App

from soar_tui.themes import ARC_DEFAULTS, load_themes


class Stage(App[None]):
    """Shows the widgets it is given; remembers messages and counts the bytes a terminal would get."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, *widgets, theme="dark", colours="truecolor", focus=True):
        super().__init__()
        self._widgets, self._first_theme, self._focus = widgets, theme, focus
        self.sent = []
        self.told = []
        if colours == "none":
            from textual.filter import Monochrome

            self.no_color = True
            self._filters.append(Monochrome())
        elif colours != "truecolor":
            self.console = Console(
                color_system=colours, force_terminal=True, file=self.console.file, width=80
            )

    def get_theme_variable_defaults(self):
        return ARC_DEFAULTS

    def compose(self):
        yield from self._widgets

    def on_mount(self):
        for theme in load_themes().themes:
            self.register_theme(theme)
        self.theme = self._first_theme
        if not self._focus:
            self.set_focus(None)

    def _display(self, screen, renderable):
        # What a driver would write; a headless app renders nothing by itself.
        if renderable is not None and hasattr(renderable, "render_segments"):
            self.sent.append(renderable.render_segments(self.console))

    def sent_bytes(self):
        """Return how many bytes were sent since the last call."""
        total = sum(len(text.encode()) for text in self.sent)
        self.sent.clear()
        return total

    def heard(self, kind):
        """Return the remembered messages of a kind."""
        return [message for message in self.told if isinstance(message, kind)]


def listening(app):
    """Return a message hook for run_test that fills app.told."""
    return app.told.append


def screen_lines(app):
    """Return the lines of text on the screen, trailing blanks gone."""
    # Textual has no public way to read its screen as text.
    strips = app.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def screen_text(app):
    return "\n".join(screen_lines(app)).rstrip("\n") + "\n"
