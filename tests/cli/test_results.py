"""What people read at the end: tables, programs, a task drawn, a submission."""

import json
from pathlib import Path

import pytest

from engine.programs.candidate import candidate_id
from soar_tui.cli import execute
from tests.cli.program import Ask, Searched, spawn
from tests.exports import runs as recorded


@pytest.fixture
def at_home(ask: Ask, searched: Searched, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Command lines in this process that see the finished run."""
    monkeypatch.setenv("SOAR_HOME", str(searched.home))
    return ask


def test_status_lists_tasks_and_says_how_to_go_on(at_home: Ask, searched: Searched) -> None:
    said = at_home("status", "last")
    run = searched.said.document
    assert said.code == 0
    assert f"solved {run['solved']} of 3" in " ".join(said.out.split())
    for result in run["results"]:
        (line,) = [text for text in said.out.splitlines() if text.startswith(result["task"] + " ")]
        assert line.split()[1] == ("✓" if result["solved"] else "✗")
        assert line.split()[2] == str(result["candidates"])
    assert "soar-tui show three" in said.out
    assert "soar-tui export submission three" in said.out


def test_show_draws_pairs_answers_vote_and_program(at_home: Ask, searched: Searched) -> None:
    task = searched.said.document["results"][0]["task"]
    said = at_home("show", "three", task)
    assert said.code == 0
    for part in ("Demonstration pairs", "expected", "Test input 1", "submission 1", "Vote:"):
        assert part in said.out
    assert "def transform(grid):" in said.out
    found = at_home("tasks", "sample:3", "--json").document["tasks"][0]
    assert said.out.count("input ") >= found["pairs"] + found["tests"]


def test_the_whole_program_runs_by_itself(at_home: Ask, searched: Searched) -> None:
    results = searched.said.document["results"]
    task = next(result["task"] for result in results if result["best_accuracy"])
    source = at_home("show", "three", task, "--program").out
    shown = at_home("show", "three", task, "--json").document
    assert source == shown["candidate"]["source"]
    names: dict[str, object] = {}
    exec(compile(source, "program", "exec"), names)
    transform = names["transform"]
    assert callable(transform)
    for pair, given in zip(shown["train"], shown["candidate"]["train"], strict=True):
        if given["output"] is not None:
            assert transform(pair["input"]) == given["output"]


def test_a_candidate_is_shown_by_its_number_with_its_chain(
    at_home: Ask, searched: Searched
) -> None:
    task = searched.said.document["results"][0]["task"]
    for number in range(40, 56):
        shown = at_home("show", "three", task, "--candidate", str(number), "--json").document
        candidate = shown["candidate"]
        assert candidate["number"] == number
        chain = candidate["chain"]
        assert chain[-1]["id"] == candidate["id"]
        assert chain[0]["operator"] == "sample"
        assert [one["parent"] for one in chain[1:]] == [one["id"] for one in chain[:-1]]
        by_id = at_home(
            "show", "three", task, "--candidate", str(candidate["id"]), "--json"
        ).document
        if candidate["id"] >= 1 << 24:
            assert by_id == shown


def test_a_candidates_id_says_of_which_iteration_it_is(ask: Ask, tmp_path: Path) -> None:
    tasks = [recorded.task("b"), recorded.task("a")]
    recorded.record_run(tmp_path / "home" / "runs" / "two", tasks)
    show, draw = ("show", "two", "a", "--json"), ("export", "picture", "two", "a", "--out", "-")
    for iteration in (0, 1):
        identifier = candidate_id(iteration, 1, 4)
        shown = ask(*show, "--candidate", str(identifier)).document
        assert (shown["iteration"], shown["candidate"]["id"]) == (iteration + 1, identifier)
        drawn = ask(*draw, "--candidate", str(identifier))
        assert (drawn.code, "</svg>" in drawn.out) == (0, True), drawn.err
    for stranger in (candidate_id(0, 2, 4), candidate_id(1, 0, 4), candidate_id(7, 1, 4)):
        for command in (show, draw):
            said = ask(*command, "--candidate", str(stranger))
            assert (said.code, "another task or iteration" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("three", "nothing"), "'nothing'"),
        (("three", ""), "could be any of"),
        (("three", "bl", "--iteration", "7"), "--iteration 7"),
        (("three", "bl", "--candidate", "9999"), "--candidate 9999: iteration 1 has"),
        (("four", "b"), "'four'"),
    ],
)
def test_what_is_not_there_is_named(at_home: Ask, arguments: tuple[str, ...], named: str) -> None:
    said = at_home("show", *arguments)
    assert said.code == 2
    assert named in said.err
    assert said.out == ""


def test_a_submission_holds_two_attempts_for_every_test_input(
    at_home: Ask, searched: Searched, tmp_path: Path
) -> None:
    path = tmp_path / "submission.json"
    said = at_home("export", "submission", "three", "--out", str(path), "--json")
    answers = json.loads(path.read_text())
    assert list(answers) == [result["task"] for result in searched.said.document["results"]]
    for task, answer in answers.items():
        shown = at_home("show", "three", task, "--json").document
        assert len(answer) == len(shown["test"])
        for number, attempts in enumerate(answer):
            assert set(attempts) == {"attempt_1", "attempt_2"}
            if shown["submissions"]:
                assert attempts["attempt_1"] == shown["submissions"][0][number]
                assert attempts["attempt_2"] == shown["submissions"][-1][number]
            else:
                assert task in said.document["placeholders"]
    assert said.document["test_inputs"] == sum(map(len, answers.values()))
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("sub")] == [path.name]


def test_an_existing_file_is_kept_unless_forced(at_home: Ask, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("precious")
    refused = at_home("export", "submission", "three", "--out", str(path))
    assert refused.code == 2
    assert "--force" in refused.err
    assert path.read_text() == "precious"
    assert at_home("export", "submission", "three", "--out", str(path), "--force").code == 0
    assert json.loads(path.read_text())


def test_a_submission_on_stdout_is_nothing_but_the_submission(at_home: Ask) -> None:
    said = at_home("export", "submission", "three", "--out", "-")
    assert len(json.loads(said.out)) == 3
    assert at_home("export", "submission", "three", "--out", "-", "--json").code == 2


def test_solve_shows_one_task_of_unknown_truth(tmp_path: Path, ask: Ask) -> None:
    task = ask("tasks", "sample", "--show", "blue-frame", "--json").document
    for given in task["test"]:
        del given["output"]
    del task["id"]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(task))
    said = spawn(tmp_path, "solve", str(path), "--samples", "30", "--refinements", "0", "--json")
    assert said.code == 0, said.err
    document = said.document
    assert (document["state"], document["task"]["task"]) == ("finished", "mine")
    assert document["task"]["solved"] is None
    assert document["task"]["oracle"] is None
    assert all(pattern["right"] is None for pattern in document["task"]["patterns"])
    status = spawn(tmp_path, "status", "last")
    assert "truth unknown" in status.out
    assert "✗" not in status.out


def test_a_task_of_which_nothing_came_is_an_error_in_json_and_a_state_for_people(
    tmp_path: Path,
) -> None:
    nothing = ("--samples", "0", "--refinements", "0")
    said = spawn(tmp_path, "solve", "sample/blue-frame", *nothing, "--name", "none", "--json")
    assert (said.code, said.out) == (1, "")
    error = json.loads(said.err.splitlines()[-1])
    assert "no candidate was archived" in error["error"] and error["exit_code"] == 1
    told = spawn(tmp_path, "solve", "sample/blue-frame", *nothing, "--name", "told")
    assert told.code == 0
    assert "told" in told.out and "finished" in told.out


def test_runs_says_how_to_begin(ask: Ask) -> None:
    said = ask("runs")
    assert said.code == 0
    assert "soar-tui run" in said.out


def test_a_run_that_cannot_be_read_hides_no_other(
    searched: Searched, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "home" / "runs"
    (runs / "broken").mkdir(parents=True)
    (runs / "broken" / "run.toml").write_text("seed = -1")
    (runs / "three").symlink_to(searched.home / "runs" / "three")
    monkeypatch.setenv("SOAR_HOME", str(tmp_path / "home"))
    listed = ask("runs", "--json").document
    assert [row["run"] for row in listed["runs"]] == ["three"]
    (problem,) = listed["problems"]
    assert "broken" in problem
    assert "seed" in problem
    assert execute(["runs"]) == 0


def test_a_run_without_an_engine_so_far_is_new(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "home" / "runs" / "fresh"
    folder.mkdir(parents=True)
    (folder / "run.toml").write_text('tasks = "sample"')
    assert ask("status", "fresh", "--json").document["state"] == "new"
    assert "soar-tui resume fresh" in ask("status", "fresh").out
    assert [row["state"] for row in ask("runs", "--json").document["runs"]] == ["new"]
    assert "soar-tui resume fresh" in ask("pause", "fresh").err
    assert ask("show", "fresh", "any").code == 1
    assert ask("attach", "fresh").code == 1
