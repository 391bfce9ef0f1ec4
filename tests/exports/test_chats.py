"""A chat made from a dataset's line is the one made from its example, or the line is refused."""

import asyncio
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.arc import pack
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, save_settings
from engine.exports.chat_rows import chat, json_line, line_chat
from engine.exports.chats import LINES, examples, write_chats_jsonl
from engine.exports.output import ExportError
from engine.learning.dataset import DatasetError, example_document, parse_example
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Evaluation, Failure
from tests.arc.drawn import grids, tasks
from tests.exports.runs import HOSTILE, record_learned, record_run, record_search, task
from tests.policies.llm.chat import RIGHT, TASK, parent

ids = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(), max_size=40)
sources = st.one_of(
    texts,
    st.sampled_from(
        [RIGHT, f"# {HOSTILE}\n{RIGHT}", f'"""\n```python\n````\n"""\n{RIGHT}\n \x7f\n']
    ),
)
kinds = st.sampled_from(["exception", "timeout", "memory", "invalid", "crash", "refused"])


@st.composite
def drawn_examples(draw):
    """Examples of every origin; what a repair's parent gave fits its task."""
    shown = draw(tasks(known=False, most=30 if draw(st.booleans()) else 4))
    origin = draw(st.sampled_from(["correct", "hindsight", "repair"]))
    one = Example(origin, shown, draw(sources), draw(ids))
    if origin != "repair":
        return one
    result = st.one_of(grids(30).map(pack), st.builds(Failure, kinds, texts))
    gave = tuple(draw(result) for _ in shown.inputs)
    right = tuple(draw(st.booleans()) for _ in shown.train)
    above = Candidate(draw(ids), "sample", 0, 0, None, draw(sources), Evaluation(gave, right))
    return Example(origin, shown, one.source, one.candidate, above)


def line_of(one: Example) -> bytes:
    return json.dumps(example_document(one), separators=(",", ":")).encode("ascii") + b"\n"


@settings(max_examples=150, deadline=None)
@given(drawn_examples())
def test_a_line_gives_the_chat_of_its_example_and_is_written_as_json_writes_it(
    one: Example,
) -> None:
    line = line_of(one)
    row = line_chat(line, "here")
    assert row == chat(one) == chat(parse_example(line, "here"))
    assert json_line(row) == json.dumps(row).encode("ascii") + b"\n"


@pytest.mark.parametrize("code", [*range(256), 0x2028, 0xD800, 0xDFFF, 0xFFFF, 0x1F600])
def test_every_character_is_escaped_as_json_escapes_it(code: int) -> None:
    row = chat(Example("correct", TASK, f"a{chr(code)}b", 1))
    assert json_line(row) == json.dumps(row).encode("ascii") + b"\n"


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.integers(0), st.binary(max_size=3), st.integers(0, 3))
@example(False, 0, b" ", 0)
def test_of_a_damaged_line_both_ways_make_the_same_or_nothing(
    repair: bool, place: int, put: bytes, cut: int
) -> None:
    one = Example("repair" if repair else "correct", TASK, RIGHT, 1, parent() if repair else None)
    line = line_of(one)
    place %= len(line)
    line = line[:place] + put + line[place + cut :]
    try:
        expected = chat(parse_example(line, "here"))
    except Exception:
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, it is refused
            line_chat(line, "here")
    else:
        assert line_chat(line, "here") == expected


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"train":[{"input":[[1,0],[2,0]', '"train":[{"input":[[1,0], [2,0]'),
        ('{"input":[[7]],"output":[[7]]}', '{"output":[[7]],"input":[[7]]}'),
        ('{"input":[[7]],"output":[[7]]}', '{"input":[[7]],"output":[[7]],"note":"x"}'),
        ('{"input":[[4,0,0]]}', '{"input":[[4,0,0]],"output":null}'),
        ('"origin":"correct","candidate":1,', '"candidate":1,"origin":"correct",'),
        ('"source":', '"note":{"source":1},"source":'),
    ],
)
def test_a_line_that_others_wrote_differently_gives_the_same_chat(was: str, now: str) -> None:
    one = Example("correct", TASK.without_truth(), RIGHT, 1)
    line = line_of(one).decode()
    assert line.count(was) == 1
    assert line_chat(line.replace(was, now).encode(), "here") == chat(one)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("[[7]]", "[[17]]", "17, not 0 to 9"),
        ("[[7]]", "[[-7]]", "-7, not 0 to 9"),
        ("[[7]]", "[[]]", "not 0"),
        ("[[7]]", "[]", "not 0"),
        ("[[7]]", "[[7],[7,7]]", "row 2 has 2 cells"),
        ("[[7]]", f"[{','.join(['[7]'] * 31)}]", "not 31"),
        ("[[7]]", f"[[{','.join('7' * 31)}]]", "not 31"),
        ("[[7]]", '"7"', "not str"),
        ("[[7]]", "[[7]]]", "line"),
        ('"mirror"', '"mirr\u00f6r"', "ascii"),
        ('"right":[false,', '"right":[', "3 pairs"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(was: str, now: str, says: str) -> None:
    line = line_of(Example("repair", TASK, RIGHT, 1, parent())).decode().replace(was, now)
    with pytest.raises(DatasetError, match=rf"line 7.*{says}"):
        line_chat(line.encode(), "data, line 7")


def test_what_was_searched_with_tasks_to_learn_from_is_no_such_task(tmp_path: Path) -> None:
    async def record() -> None:
        writer = ArchiveWriter(tmp_path)
        writer.put_tasks([task("to-learn-from"), task("target")], 1)
        # As an import once marked all of its tasks.
        writer.begin_iteration(0, "train", "theirs", "imported", range(2))
        for index in range(2):
            record_search(writer, 0, index, task("to-learn-from" if index == 0 else "target"))
        writer.end_iteration(0, 1.0)
        await writer.close()

    asyncio.run(record())
    settings_ = Settings(train_tasks="theirs")
    save_settings(settings_, tmp_path / "run.toml")
    with RunReader(tmp_path) as reader:
        found, _ = examples(reader, tmp_path, settings_)
        assert {chat["task_id"] for chat in found} == {"to-learn-from"}


def test_an_iteration_that_the_settings_no_longer_plan_is_refused(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "run", [task("a")])
    with RunReader(folder) as reader, pytest.raises(ExportError, match="plan 1 iterations"):
        examples(reader, folder, Settings(iterations=1))


def test_a_learned_dataset_is_exported_as_it_is_and_a_bad_line_named(tmp_path: Path) -> None:
    searched = task("a", known=False)
    data = [Example("correct", searched, f"{RIGHT}# {i} {HOSTILE}", i) for i in range(LINES + 5)]
    folder, out = record_learned(tmp_path / "run", searched, data), tmp_path / "c.jsonl"
    seen: list[tuple[int, int]] = []
    with RunReader(folder) as reader:
        found, whence = examples(reader, folder, Settings())
        assert write_chats_jsonl(found, out, lambda *done: seen.append(done)) == len(data)
    assert whence == "examples that iteration 1 gave to learn from"
    assert seen == [(0, LINES + 5), (LINES, LINES + 5), (LINES + 5, LINES + 5)]
    assert [json.loads(line) for line in out.read_text().splitlines()] == [chat(e) for e in data]

    packed = folder / "datasets" / "iteration-0.jsonl.zst"
    lines = zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read()
    packed.write_bytes(zstandard.compress(lines + b"{}\n"))
    with RunReader(folder) as reader, pytest.raises(DatasetError, match=f"zst, line {LINES + 6}:"):
        found, _ = examples(reader, folder, Settings())
        write_chats_jsonl(found, tmp_path / "d.jsonl", print)
