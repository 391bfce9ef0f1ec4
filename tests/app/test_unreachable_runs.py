"""One folder that cannot be looked into hides no other run, and the list says why it is unread."""

import pytest

from engine.archive.catalogue import CatalogueError
from engine.control import SETTINGS_NAME, catalogue, known_runs
from soar_tui.checkpoints import known_checkpoints
from soar_tui.screens.run_lines import Known, RunsQuestion, read_line
from tests.app.recorded import record, settings
from tests.app.stage import opened, text

NOWHERE = "x" * 300
"""No disk takes so long a name: looking it up fails, and not because nothing is there."""


@pytest.fixture
async def folder(home):
    return await record(home / "runs" / "good", chosen=settings("sample:2"))


@pytest.fixture
def unreachable(home, folder):
    """Two folders, one under the folder of runs and one elsewhere, that no one can look into."""
    linked = home / "runs" / "broken"
    linked.symlink_to(home / NOWHERE)
    elsewhere = home / NOWHERE.upper()
    for path in (linked, elsewhere):
        with pytest.raises(OSError, match="File name too long"):
            (path / SETTINGS_NAME).is_file()
    catalogue().add_run(elsewhere)
    return linked, elsewhere


def test_the_other_runs_are_listed_and_the_reason_is_told(folder, unreachable):
    linked, elsewhere = unreachable
    lines = {line.folder: line for line in RunsQuestion((elsewhere,), Known()).answer_without_run()}
    assert lines.keys() == {folder, linked, elsewhere}
    assert lines[folder].trouble is None and lines[folder].candidates > 0
    for path in unreachable:
        assert "File name too long" in lines[path].trouble and lines[path].state is None


async def test_the_place_shows_them(home, folder, unreachable):
    async with opened(None, desk=home) as (app, _pilot):
        [broken] = [line for line in text(app).splitlines() if line.startswith("broken")]
        assert "? unreadable" in broken
        [good] = [line for line in text(app).splitlines() if line.startswith("good")]
        assert "✓ finished" in good


def test_known_runs_hold_them_for_whoever_tells_why(folder, unreachable):
    assert set(known_runs()) == {folder, *unreachable}
    assert {made.policy for made in known_checkpoints()} == {"grammar"}


def test_a_file_that_cannot_be_looked_at_does_not_keep_a_run_from_being_read(folder):
    read_line(folder)  # reading adds a file
    before = read_line(folder)
    (folder / "linked").symlink_to(folder / NOWHERE)
    after = read_line(folder)
    assert (after.trouble, after.bytes) == (None, before.bytes)


def test_a_damaged_catalogue_is_still_told(home, folder):
    (home / "catalogue.json").write_text("{ damaged")
    with pytest.raises(CatalogueError):
        known_runs()


async def test_runs_are_listed_though_the_working_directory_is_gone(home, folder, monkeypatch):
    gone = home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    async with opened(None, desk=home) as (app, _pilot):
        assert str(folder) in text(app) and "✓ finished" in text(app)
