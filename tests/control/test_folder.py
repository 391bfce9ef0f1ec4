"""Run folders: names, finding them again, and clear refusals."""

import datetime

import pytest

from engine.config import load_settings, override, preset, save_settings
from engine.control.folder import (
    RunFolderError,
    catalogue,
    create_run,
    find_run,
    run_folders,
)

DAY = datetime.date(2026, 11, 20)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SOAR_HOME", str(tmp_path / "home"))


def settings(tasks="arc1-train:100"):
    return override(preset("cpu"), {"tasks": tasks})


def test_names_say_day_tasks_and_policy_and_never_clash():
    names = [create_run(settings(), day=DAY).name for _ in range(3)]
    assert names == [
        "2026-11-20-arc1-train-100-grammar",
        "2026-11-20-arc1-train-100-grammar-2",
        "2026-11-20-arc1-train-100-grammar-3",
    ]
    assert [folder.name for folder in run_folders()] == names


def test_a_task_file_gives_its_name_not_its_path():
    assert create_run(settings("/data/my tasks/a b.json"), day=DAY).name.endswith(
        "-a-b-json-grammar"
    )


def test_the_folder_holds_the_settings():
    folder = create_run(settings(), day=DAY)
    assert load_settings(folder / "run.toml") == settings()


def test_a_run_is_found_by_path_name_beginning_and_as_the_last():
    one = create_run(settings(), name="one", day=DAY)
    two = create_run(settings(), name="two", day=DAY)
    assert find_run(str(one)) == one
    assert find_run("one") == one
    assert find_run("tw") == two
    assert find_run("last") == two


def test_a_run_opened_elsewhere_is_found_by_name_behind_those_at_home(tmp_path):
    elsewhere = tmp_path / "data" / "theirs"
    elsewhere.mkdir(parents=True)
    save_settings(settings(), elsewhere / "run.toml")
    catalogue().add_run(elsewhere)
    assert find_run("theirs") == find_run("the") == elsewhere
    home = create_run(settings(), name="theirs", day=DAY)
    catalogue().add_run(home)
    assert find_run("theirs") == home
    with pytest.raises(RunFolderError, match=f"{elsewhere}"):
        find_run("thei")


@pytest.mark.parametrize(
    ("name", "says"), [("nothing", "no run 'nothing'"), ("run-", "could be any of run-a, run-b")]
)
def test_a_run_that_cannot_be_told_is_refused(name, says):
    create_run(settings(), name="run-a", day=DAY)
    create_run(settings(), name="run-b", day=DAY)
    with pytest.raises(RunFolderError, match=says):
        find_run(name)


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "a b"])
def test_a_bad_name_is_refused_before_anything_is_made(name, tmp_path):
    with pytest.raises(RunFolderError, match="is no run name"):
        create_run(settings(), name=name, day=DAY)
    assert run_folders() == []


def test_a_taken_name_is_refused():
    create_run(settings(), name="mine", day=DAY)
    with pytest.raises(RunFolderError, match="already"):
        create_run(settings(), name="mine", day=DAY)
