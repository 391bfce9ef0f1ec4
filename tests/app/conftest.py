"""What tests of the app share: a fixed terminal, and screens compared with what was agreed on."""

import difflib
import os
import re
import signal
from pathlib import Path

import pytest

from engine.control import engine_process, run_folders

# Textual reads these when it is imported: the same colours and no motion wherever the tests run.
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
for inherited in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY"):
    os.environ.pop(inherited, None)

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user of whom nothing is known yet."""
    monkeypatch.setenv("SOAR_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def no_engine_left(home):
    """Engines that a test's app has started outlive it by design; these do not."""
    yield
    for folder in run_folders():
        process = engine_process(folder)
        if process is not None:
            os.kill(process, signal.SIGKILL)


def pytest_addoption(parser):
    parser.addoption("--update-snapshots", action="store_true", help="accept screens as they are")
    parser.addoption("--save-svg", type=Path, metavar="FOLDER", help="also save screens as SVG")


@pytest.fixture
def snapshot(request):
    """Return a function that compares an app's screen with tests/app/snapshots/NAME.txt."""
    from tests.app.screen import screen_text

    update = request.config.getoption("update_snapshots", default=False)
    pictures = request.config.getoption("save_svg", default=None)

    def compare(app, name, mask=None):
        """`mask`: what may differ from run to run; it is agreed on as `#`."""
        seen = screen_text(app)
        if mask is not None:
            seen = re.sub(mask, "#", seen)
        path = SNAPSHOTS / f"{name}.txt"
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            (pictures / f"{name}.svg").write_text(app.export_screenshot(), encoding="utf-8")
        if update:
            SNAPSHOTS.mkdir(exist_ok=True)
            path.write_text(seen, encoding="utf-8")
            return
        assert path.exists(), f"no snapshot {name}: run pytest tests/app --update-snapshots"
        agreed = path.read_text(encoding="utf-8")
        difference = difflib.unified_diff(
            agreed.splitlines(), seen.splitlines(), "agreed", "seen", lineterm=""
        )
        assert seen == agreed, "\n".join(difference)

    return compare
