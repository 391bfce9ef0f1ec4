"""The catalogue keeps what users note, from several processes at once, and never half a file."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.archive.catalogue import Catalogue, CatalogueError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "catalogue.json"


def test_runs_bookmarks_notes_and_preferences_come_back(path):
    catalogue = Catalogue(path)
    assert (catalogue.runs(), catalogue.preferences()) == ([], {})
    assert not path.exists()
    one, two = Path("/runs/one"), Path("/runs/two")
    catalogue.add_run(one)
    catalogue.add_run(two)
    catalogue.add_run(one)
    assert [run.folder for run in catalogue.runs()] == ["/runs/one", "/runs/two"]
    assert catalogue.runs()[0].added < catalogue.runs()[1].added < catalogue.runs()[0].opened
    catalogue.set_bookmark(one, 7)
    catalogue.set_bookmark(one, 7)
    catalogue.set_bookmark(two, 7)
    assert [bookmark.folder for bookmark in catalogue.bookmarks()] == ["/runs/one", "/runs/two"]
    catalogue.set_bookmark(one, 7, on=False)
    assert [bookmark.candidate for bookmark in catalogue.bookmarks(two)] == [7]
    assert catalogue.bookmarks(one) == []
    catalogue.set_note(one, None, "first")
    catalogue.set_note(one, 7, "\x1b[31m\ud800 é")
    catalogue.set_note(one, None, "second")
    notes = {note.candidate: note.text for note in catalogue.notes(one)}
    assert notes == {None: "second", 7: "\x1b[31m\ud800 é"}
    catalogue.set_note(one, 7, "")
    assert [note.text for note in catalogue.notes()] == ["second"]
    catalogue.set_preference("theme", "dark")
    catalogue.set_preference("theme", {"name": "light"})
    assert Catalogue(path).preferences() == {"theme": {"name": "light"}}
    catalogue.forget_run(one)
    assert [run.folder for run in catalogue.runs()] == ["/runs/two"]
    assert (catalogue.notes(), len(catalogue.bookmarks())) == ([], 1)


def test_two_processes_writing_at_once_lose_nothing(path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom engine.archive.catalogue import Catalogue\n"
        "catalogue = Catalogue(Path(sys.argv[1]))\n"
        "for i in range(30): catalogue.set_bookmark(Path('/runs', sys.argv[2]), i)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    for name in ("a", "b"):
        found = [bookmark.candidate for bookmark in Catalogue(path).bookmarks(Path("/runs", name))]
        assert found == list(range(30))


@pytest.mark.parametrize(
    "content",
    ['{"runs": {"1": {"folder": 7', "[]", '{"runs": []}', '{"runs": {"1": {"added": 1}}}'],
)
def test_a_damaged_file_is_named_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_text(content)
    catalogue = Catalogue(path)
    with pytest.raises(CatalogueError, match=r"catalogue\.json"):
        catalogue.runs()
    assert path.read_text() == content


def test_what_is_not_plain_data_changes_nothing(path):
    catalogue = Catalogue(path)
    catalogue.set_preference("theme", "dark")
    with pytest.raises(TypeError):
        catalogue.set_preference("theme", object())
    assert catalogue.preferences() == {"theme": "dark"}
