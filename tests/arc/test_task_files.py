"""Tasks from files and by name, and every way a file can be wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from engine.arc import TaskFileError, load_tasks, pack, save_task, task_document, task_sets
from tests.arc.drawn import tasks

GRID = [[1, 2], [3, 4]]
PAIR = {"input": GRID, "output": [[5]]}
TASK = {"train": [PAIR, PAIR], "test": [{"input": GRID, "output": [[6]]}]}


def same(one, other):
    return _plain(one) == _plain(other)


def _plain(task):
    pairs = [(pack(pair.input), pack(pair.output)) for pair in task.train]
    truth = None if task.truth is None else [pack(grid) for grid in task.truth]
    return task.id, pairs, [pack(grid) for grid in task.test], truth


def write(path, document):
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


@settings(max_examples=30)
@given(tasks())
def test_a_task_survives_its_file(tmp_path_factory, task):
    path = tmp_path_factory.mktemp("round") / "drawn.json"
    save_task(task, path)
    (loaded,) = load_tasks(str(path)).tasks
    assert same(loaded, task)
    assert json.loads(path.read_text()) == task_document(task)
    assert [file.name for file in path.parent.iterdir()] == ["drawn.json"]


def test_a_folder_is_its_files_in_the_order_of_their_ids(tmp_path):
    for name in ("b", "a-b", "a"):
        write(tmp_path / f"{name}.json", TASK)
    write(tmp_path / "README.md", "not a task")
    write(tmp_path / "._a.json", "what macOS leaves on other file systems")
    found = load_tasks(str(tmp_path))
    assert found.name == str(tmp_path)
    assert [task.id for task in found.tasks] == ["a", "a-b", "b"]
    assert [task.id for task in load_tasks(f"{tmp_path}:2").tasks] == ["a", "a-b"]


def test_a_path_that_exists_with_its_colon_or_plus_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tasks", "tasks:1", "a+b"):
        (tmp_path / name).mkdir()
    for name in ("tasks/x", "tasks/y", "tasks:1/u", "tasks:1/v", "a+b/w"):
        write(tmp_path / f"{name}.json", TASK)
    assert [task.id for task in load_tasks("tasks:1").tasks] == ["u", "v"]
    assert [task.id for task in load_tasks("tasks:1:1").tasks] == ["u"]
    assert [task.id for task in load_tasks("a+b").tasks] == ["w"]


def test_a_name_wins_over_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample").mkdir()
    write(tmp_path / "sample" / "mine.json", TASK)
    assert [task.id for task in load_tasks("./sample").tasks] == ["mine"]
    assert len(load_tasks("sample").tasks) == task_sets()[0].tasks


def kaggle(folder, challenges, solutions=None, beside="x_solutions.json"):
    path = write(folder / "x_challenges.json", challenges)
    if solutions is not None:
        write(folder / beside, solutions)
    return path


HIDDEN = {"train": [PAIR], "test": [{"input": GRID}, {"input": GRID}]}


def test_kaggle_solutions_are_found_beside_their_challenges(tmp_path):
    path = kaggle(tmp_path, {"b": HIDDEN, "a": HIDDEN}, {"a": [[[7]], [[8]]], "b": [[[1]], [[2]]]})
    b, a = load_tasks(path).tasks
    assert (b.id, [grid.tolist() for grid in b.truth]) == ("b", [[[1]], [[2]]])
    assert (a.id, [grid.tolist() for grid in a.truth]) == ("a", [[[7]], [[8]]])


def test_kaggle_solutions_can_be_named(tmp_path):
    path = kaggle(tmp_path, {"a": HIDDEN}, {"a": [[[7]], [[8]]], "z": [[[1]]]}, "answers.json")
    assert load_tasks(path).tasks[0].truth is None
    (task,) = load_tasks(f"{path}+{tmp_path / 'answers.json'}:1").tasks
    assert [grid.tolist() for grid in task.truth] == [[[7]], [[8]]]


@pytest.mark.parametrize("output", [None, "", [], [[]], [[0, 0], [0, 0]]])
def test_a_placeholder_is_no_truth(tmp_path, output):
    document = {"train": [PAIR], "test": [{"input": GRID, "output": output}]}
    assert load_tasks(write(tmp_path / "t.json", document)).tasks[0].truth is None
    challenges = {"a": {"train": [PAIR], "test": [{"input": GRID}]}}
    path = kaggle(tmp_path, challenges, {"a": [output]})
    assert load_tasks(path).tasks[0].truth is None


def with_train(*pairs):
    return {**TASK, "train": list(pairs)}


def with_grid(grid):
    return with_train(PAIR, {"input": GRID, "output": grid})


ONE_TASK = [
    ("", "the file is empty"),
    (" \n", "the file is empty"),
    ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ("[" * 100_000, "not JSON: nested too deeply"),
    ('{"train": [], "train": []}', "'train' is there twice"),
    ([], "task 't': a list, not an object with train and test"),
    ("3", "task 't': a number or truth value, not an object with train and test"),
    ("null", "task 't': null, not an object with train and test"),
    ({}, "task 't': no 'train'"),
    ({"test": []}, "task 't': no 'train'"),
    ({"train": [PAIR]}, "task 't': no 'test'"),
    ({"train": {"a": 1}, "test": []}, "task 't': 'train' is an object, not a list of pairs"),
    ({**TASK, "train": []}, "task 't': 'train' is empty, at least one pair is needed"),
    ({**TASK, "test": []}, "task 't': 'test' is empty, at least one pair is needed"),
    (with_train(*[PAIR] * 64), "task 't': 'train' has 64 pairs, at most 63 are taken"),
    ({**TASK, "test": [PAIR] * 63}, "task 't': 'test' has 63 pairs, at most 62 are taken"),
    (with_train(PAIR, 5), "task 't', 'train': pair 2 is a number or truth value, not an object"),
    (with_train(PAIR, {"output": [[1]]}), "task 't', demonstration 2: no 'input'"),
    (with_train({"input": [[1]]}), "task 't', demonstration 1: no 'output'"),
    ({**TASK, "test": [{}]}, "task 't', test 1: no 'input'"),
    (
        with_grid(None),
        "task 't', demonstration 2, output: a grid is a list of rows, not NoneType",
    ),
    (with_grid([]), "task 't', demonstration 2, output: a grid has 1 to 30 rows, not 0"),
    (with_grid([[]]), "task 't', demonstration 2, output: a grid has 1 to 30 columns, not 0"),
    (
        with_grid([[0] * 31]),
        "task 't', demonstration 2, output: a grid has 1 to 30 columns, not 31",
    ),
    (
        with_grid([[1, 2], [3]]),
        "task 't', demonstration 2, output: row 2 has 1 cells where row 1 has 2",
    ),
    (with_grid([[1, 10]]), "task 't', demonstration 2, output: row 1, column 2 is 10, not 0 to 9"),
    (
        with_grid([[True]]),
        "task 't', demonstration 2, output: row 1, column 1 is bool, not an int",
    ),
    (
        with_grid([[1.0]]),
        "task 't', demonstration 2, output: row 1, column 1 is float, not an int",
    ),
    (
        with_grid([[1], 2]),
        "task 't', demonstration 2, output: row 2 is int, not a list of cells",
    ),
    (
        {**TASK, "test": [{"input": [[-1]]}]},
        "task 't', test 1, input: row 1, column 1 is -1, not 0 to 9",
    ),
    (
        {**TASK, "test": [PAIR, {"input": [[1]], "output": [[12]]}]},
        "task 't', test 2, output: row 1, column 1 is 12, not 0 to 9",
    ),
    (
        {**TASK, "test": [PAIR, {"input": GRID}]},
        "task 't', test 2: no output, though other tests have one",
    ),
]


@pytest.mark.parametrize(("document", "rule"), ONE_TASK)
def test_a_bad_task_file_is_refused_by_file_task_pair_and_rule(tmp_path, document, rule):
    path = write(tmp_path / "t.json", document)
    for spec in (path, str(tmp_path)):
        with pytest.raises(TaskFileError) as refused:
            load_tasks(spec)
        assert str(refused.value) == f"{path}: {rule}"


KAGGLE = [
    ({"a": HIDDEN}, [], "x_solutions.json: not an object of task ids and their outputs"),
    ({"a": HIDDEN}, {"b": []}, "x_solutions.json: task 'a': no outputs for it"),
    ({"a": HIDDEN}, {"a": {}}, "x_solutions.json: task 'a': an object, not a list of outputs"),
    ({"a": HIDDEN}, {"a": [[[1]]]}, "x_solutions.json: task 'a': 1 outputs for 2 test inputs"),
    ({"a": HIDDEN}, {"a": []}, "x_solutions.json: task 'a': 0 outputs for 2 test inputs"),
    (
        {"a": HIDDEN},
        {"a": [[[1]], None]},
        "x_solutions.json: task 'a', test 2: no output, though other tests have one",
    ),
    (
        {"a": HIDDEN},
        {"a": [[[1]], [[1, "2"]]]},
        "x_solutions.json: task 'a', test 2, output: row 1, column 2 is str, not an int",
    ),
    (
        {"a": TASK},
        {"a": [[[7]]]},
        "x_solutions.json: task 'a': outputs differ from those beside the test inputs",
    ),
    (
        '{"a": {}, "a": {}}',
        None,
        "x_challenges.json: 'a' is there twice",
    ),
    ({"a": HIDDEN, "b": {}}, None, "x_challenges.json: task 'b': no 'train'"),
    (
        {"a": HIDDEN, "b": 3},
        None,
        "x_challenges.json: task 'b': a number or truth value, not an object with train and test",
    ),
]


@pytest.mark.parametrize(("challenges", "solutions", "message"), KAGGLE)
def test_a_bad_kaggle_pair_of_files_is_refused(tmp_path, challenges, solutions, message):
    path = kaggle(tmp_path, challenges, solutions)
    with pytest.raises(TaskFileError) as refused:
        load_tasks(path)
    assert str(refused.value) == f"{tmp_path}/{message}"


NAMES = "sample, arc1-train, arc1-eval, arc2-train, arc2-eval"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", f"(nothing): no such file or folder, nor one of the sets {NAMES}"),
        (":3", f"(nothing): no such file or folder, nor one of the sets {NAMES}"),
        ("nowhere", f"nowhere: no such file or folder, nor one of the sets {NAMES}"),
        ("a\0b", f"a\0b: no such file or folder, nor one of the sets {NAMES}"),
        ("x" * 5000, f"{'x' * 5000}: no such file or folder, nor one of the sets {NAMES}"),
        ("one.json+none.json", "none.json: No such file or directory"),
        ("single.json+one.json", "single.json: holds one task, only a challenges file takes solutions"),
        ("empty", "empty: no .json files in this folder"),
        ("many", "many/x.json: holds many tasks; give this file itself, not its folder"),
        ("bytes.json", "bytes.json: not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ("one.json:2", "one.json:2: there are only 1 tasks"),
        *(
            (
                f"sample:{limit}",
                f"sample:{limit}: after the colon comes how many tasks to take, "
                f"a number from 1, not {limit!r}",
            )
            for limit in ("0", "-1", "+1", "1.5", "x", "", "1_0", "10000000000")
        ),
    ],
)  # fmt: skip
def test_a_bad_spec_is_refused(tmp_path, monkeypatch, spec, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "one.json", {"a": HIDDEN})
    write(tmp_path / "single.json", TASK)
    (tmp_path / "bytes.json").write_bytes(b"\xffx")
    (tmp_path / "empty").mkdir()
    (tmp_path / "many").mkdir()
    write(tmp_path / "many" / "x.json", {"a": HIDDEN})
    with pytest.raises(TaskFileError) as refused:
        load_tasks(spec)
    assert str(refused.value) == message


def test_saving_where_nothing_can_be_written_leaves_what_was_there(tmp_path):
    (task,) = load_tasks(write(tmp_path / "t.json", TASK)).tasks
    before = (tmp_path / "t.json").read_text()
    (tmp_path / "t.json.new").mkdir()
    with pytest.raises(IsADirectoryError):
        save_task(task, tmp_path / "t.json")
    assert (tmp_path / "t.json").read_text() == before


@pytest.mark.parametrize("name", NAMES.split(", "))
def test_a_named_set_has_what_it_is_said_to_have(name):
    (named,) = (named for named in task_sets() if named.name == name)
    loaded = load_tasks(name).tasks
    assert len(loaded) == named.tasks == len({task.id for task in loaded})
    assert sum(len(task.test) for task in loaded) == named.tests
    assert all(len(task.truth) == len(task.test) for task in loaded)
    assert [task.id for task in loaded] == sorted(task.id for task in loaded)


def test_the_published_sets_are_the_published_sizes():
    counts = {named.name: (named.tasks, named.tests) for named in task_sets()}
    assert counts["arc1-train"] == (400, 416)
    assert counts["arc1-eval"] == (400, 419)
    assert counts["arc2-train"][0] == 1000
    assert counts["arc2-eval"][0] == 120


def test_a_solver_sees_no_truth():
    task = load_tasks("arc1-train:1").tasks[0]
    seen = task.without_truth()
    assert task.truth is not None
    assert seen.truth is None
    assert seen.without_truth() is seen
    assert all(np.array_equal(a, b) for a, b in zip(seen.inputs, task.inputs, strict=True))


def test_the_documentation_gives_the_counts_there_are():
    page = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    for named in task_sets():
        assert f"`{named.name}`" in page
        assert f"{named.tasks} ({named.tests})" in page


def test_the_published_sets_overlap_as_the_documentation_warns():
    trained = {task.id for task in load_tasks("arc2-train").tasks}
    assert sum(task.id in trained for task in load_tasks("arc1-eval").tasks) == 376
    assert not any(task.id in trained for task in load_tasks("arc2-eval").tasks)
