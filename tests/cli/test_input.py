"""What the user gives: settings, task sets, names; each refusal says what is allowed."""

import json
from pathlib import Path

import pytest

from engine.config import PRESETS, save_settings
from soar_tui.cli.errors import InputError
from soar_tui.cli.options import rooted, settings_from
from tests.cli.program import Ask


def test_options_go_over_assignments_go_over_the_preset() -> None:
    settings = settings_from(
        "cpu",
        None,
        ["search.c=7", "vote.formula=text", "policy.checkpoint=/a=b", "search.samples=9"],
        {"tasks": "sample:2", "seed": 5, "iterations": None, "search.samples": 3},
    )
    assert settings.search.c == 7
    assert settings.vote.formula == "text"
    assert settings.policy.checkpoint == "/a=b"
    assert settings.search.samples == 9
    assert (settings.tasks, settings.seed, settings.iterations) == ("sample:2", 5, 1)
    assert settings.search.refinements == PRESETS["cpu"].search.refinements


def test_a_settings_file_stands_in_for_the_preset(tmp_path: Path) -> None:
    save_settings(PRESETS["demo"], tmp_path / "mine.toml")
    assert settings_from(None, tmp_path / "mine.toml", [], {}) == PRESETS["demo"]
    with pytest.raises(InputError, match="--preset and --config"):
        settings_from("cpu", tmp_path / "mine.toml", [], {})


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--preset", "fast"), ("'fast'", "demo", "cpu", "paper")),
        (("--set", "search.c=warm"), ("search.c", "float")),
        (("--set", "search.heat=1"), ("heat",)),
        (("--set", "search.c"), ("search.c", "FIELD=VALUE")),
        (("--samples", "-1"), ("search.samples", ">= 0")),
        (("--seed", "x"), ("--seed", "integer")),
        (("--tasks", "nowhere"), ("nowhere", "sample", "arc1-train")),
        (("--tasks", "sample:0"), ("sample:0",)),
        (("--tasks", "sample/none"), ("'none'", "sample")),
        (("--config", "/nonexistent.toml"), ("/nonexistent.toml",)),
        (("--tasks", "sample:1", "--name", "../x"), ("'../x'",)),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    ask: Ask, tmp_path: Path, arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    said = ask("run", *arguments)
    assert said.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("soar-tui: ")
    for word in named:
        assert word in said.err
    assert not list((tmp_path / "home").rglob("run.toml"))


def test_a_broken_task_file_is_named_with_its_pair(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(
        json.dumps({"train": [{"input": [[1]], "output": [[10]]}], "test": [{"input": [[1]]}]})
    )
    for command in ("solve", "tasks"):
        said = ask(command, str(path))
        assert said.code == 2
        assert str(path) in said.err
        assert "demonstration 1" in said.err


def test_solve_takes_one_task(ask: Ask) -> None:
    said = ask("solve", "sample")
    assert said.code == 2
    assert "solve takes one" in said.err


def test_paths_no_longer_depend_on_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "a.json").touch()
    (tmp_path / "b.json").touch()
    assert rooted("mine:3") == f"{tmp_path}/mine:3"
    assert rooted("a.json") == f"{tmp_path}/a.json"
    assert rooted("a.json+b.json") == f"{tmp_path}/a.json+{tmp_path}/b.json"
    assert rooted("arc1-train:100") == "arc1-train:100"
    assert rooted("sample/blue-frame") == "sample/blue-frame"


def test_one_task_of_a_set_is_named_by_its_id(ask: Ask) -> None:
    said = ask("tasks", "sample/blue-frame", "--json")
    assert [task["id"] for task in said.document["tasks"]] == ["blue-frame"]


def test_a_folder_that_is_no_run_is_refused(ask: Ask, tmp_path: Path) -> None:
    for command in ("status", "attach", "pause", "resume", "stop"):
        said = ask(command, str(tmp_path))
        assert said.code == 2
        assert str(tmp_path) in said.err


def test_text_from_a_file_cannot_steer_the_terminal(ask: Ask, tmp_path: Path) -> None:
    task = {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[1]]}]}
    (tmp_path / "many.json").write_text(json.dumps({"\x1b]0;title\x07[bold]": task}))
    said = ask("tasks", str(tmp_path / "many.json"))
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\\x1b]0;title\\x07[bold]" in said.out
