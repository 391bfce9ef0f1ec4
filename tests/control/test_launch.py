"""Starting an engine where none may start: it is refused, and the run keeps its settings."""

import pytest

from engine.config import load_settings, override, preset
from engine.control import RunFolderError, changed_settings, launch
from engine.control.folder import SETTINGS_NAME
from engine.control.lock import EngineLock
from tests.app.recorded import make_folder

OWN = override(preset("demo"), {"iterations": 1})
OTHER = override(OWN, {"iterations": 2, "learn_last": True})


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "run", OWN)


def own(folder):
    return load_settings(folder / SETTINGS_NAME) == OWN


@pytest.mark.parametrize(
    ("passing", "told"), [(None, "is running already"), ("tidied", "is being tidied by process")]
)
def test_a_run_somebody_is_on_keeps_its_settings(folder, passing, told):
    with EngineLock(folder, passing=passing):
        with pytest.raises(RunFolderError, match=told):
            launch(folder)
        with pytest.raises(RunFolderError, match=told), changed_settings(folder, OTHER):
            pytest.fail("the settings were changed under it")
    assert own(folder)


def test_settings_go_back_where_an_engine_came_first(folder):
    def start():
        assert load_settings(folder / SETTINGS_NAME) == OTHER
        with EngineLock(folder):
            launch(folder)

    with pytest.raises(RunFolderError, match="is running already"), changed_settings(folder, OTHER):
        start()
    assert own(folder)


def test_settings_stay_changed_when_the_start_went_well(folder):
    with changed_settings(folder, OTHER):
        pass
    assert load_settings(folder / SETTINGS_NAME) == OTHER
