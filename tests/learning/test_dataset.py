"""Datasets survive the way to disk and back, and a damaged one says where."""

import itertools

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid, pack
from engine.learning.dataset import DatasetError, read_dataset, read_portions, write_dataset
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Evaluation, Failure

grids = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=1, max_size=4
    ).map(as_grid)
)
tasks = st.builds(
    Task,
    st.text(min_size=1, max_size=8),
    st.lists(st.builds(Pair, grids, grids), min_size=1, max_size=3).map(tuple),
    st.lists(grids, min_size=1, max_size=2).map(tuple),
)
sources = st.text(st.characters(), max_size=60)
results = st.one_of(
    grids.map(pack), st.builds(Failure, st.sampled_from(["exception", "timeout"]), st.text())
)
parents = st.builds(
    lambda source, found, right: Candidate(
        9, "sample", 0, 0, None, source, Evaluation(tuple(found), (right,))
    ),
    sources,
    st.lists(results, min_size=1, max_size=3),
    st.booleans(),
)
examples = st.one_of(
    st.builds(Example, st.sampled_from(["correct", "hindsight"]), tasks, sources, st.integers(0)),
    st.builds(Example, st.just("repair"), tasks, sources, st.integers(0), parents),
)


def plain(example):
    task = example.task
    parent = example.parent
    return (
        example.origin,
        task.id,
        [(p.input.tolist(), p.output.tolist()) for p in task.train],
        [grid.tolist() for grid in task.test],
        task.truth,
        example.source,
        example.candidate,
        parent and (parent.id, parent.source, parent.evaluation),
    )


@given(st.lists(examples, max_size=5))
@settings(max_examples=60)
def test_there_and_back(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("dataset") / "examples.jsonl.zst"
    assert write_dataset(data, path) == len(data)
    assert [plain(e) for e in read_dataset(path)] == [plain(e) for e in data]


@pytest.mark.parametrize(
    ("line", "says"), [("{", "line 2"), ("{}", "line 2"), ('{"task": {"id": "a"}}', "train")]
)
def test_a_damaged_line_is_named(tmp_path, line, says):
    good = Example("correct", Task("t", (Pair(*[as_grid([[1]])] * 2),), (as_grid([[1]]),)), "x", 1)
    path = tmp_path / "examples.jsonl.zst"
    write_dataset([good], path)
    whole = zstandard.decompress(path.read_bytes(), 1 << 20) + f"{line}\n".encode()
    path.write_bytes(zstandard.compress(whole))
    rows = read_dataset(path)
    assert next(rows).candidate == 1
    with pytest.raises(DatasetError, match=says):
        next(rows)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "examples.jsonl.zst"
    write_dataset([], path)

    def breaking():
        yield Example("correct", Task("t", (), ()), "x", 1)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_dataset(breaking(), path)
    assert list(read_dataset(path)) == []


def test_a_file_that_is_no_dataset_is_refused(tmp_path):
    path = tmp_path / "examples.jsonl.zst"
    path.write_text("hello")
    with pytest.raises(DatasetError, match="not a dataset"):
        list(read_dataset(path))


@given(st.lists(examples, max_size=8))
@settings(max_examples=60)
def test_portions_hold_a_task_each_and_all_there_is(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("dataset") / "examples.jsonl.zst"
    write_dataset(data, path)
    portions = [list(portion.examples()) for portion in read_portions(path)]
    assert [plain(e) for portion in portions for e in portion] == [plain(e) for e in data]
    ids = [{example.task.id for example in portion} for portion in portions]
    assert all(len(each) == 1 for each in ids)
    assert all(one != next_one for one, next_one in itertools.pairwise(ids))


def test_a_portion_names_the_line_that_is_damaged(tmp_path):
    path = tmp_path / "examples.jsonl.zst"
    task = Task("a", (Pair(as_grid([[1]]), as_grid([[2]])),), (as_grid([[3]]),))
    write_dataset([Example("correct", task, "x", 1)], path)
    good = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    path.write_bytes(zstandard.compress(good + good.replace(b"[[1]]", b"[[11]]")))
    (portion,) = read_portions(path)
    with pytest.raises(DatasetError, match=r"line 2.*11, not 0 to 9"):
        list(portion.examples())
    path.write_bytes(zstandard.compress(good + b'{"origin":"correct"}\n'))
    with pytest.raises(DatasetError, match="line 2: no example"):
        list(read_portions(path))
