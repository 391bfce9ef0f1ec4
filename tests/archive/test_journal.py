"""Events, curves, statuses, learning's records and the pulls' tail, hostile text included."""

import asyncio
import math

import pytest

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import Checkpoint, Example, ExampleCount
from engine.archive.writer import ArchiveWriter
from tests.archive.recording_process import TASKS, unit

HOSTILE = "\x1b[2J\0\ud800'; DROP TABLE event; --[/red]\n\u202e"


@pytest.fixture
async def writer(tmp_path):
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "train", HOSTILE, HOSTILE)
    yield writer
    await writer.close()


async def test_events_page_both_ways_and_hostile_text_survives(writer, tmp_path):
    for number in range(10):
        writer.put_event("info", "even" if number % 2 == 0 else "odd", f"{number}{HOSTILE}")
    await writer.flush()
    with RunReader(tmp_path) as reader:
        first = reader.events(limit=4)
        assert [event.text for event in first] == [f"{number}{HOSTILE}" for number in range(4)]
        rest = reader.events(after=first[-1].id)
        assert [event.text[0] for event in rest] == list("456789")
        assert [event.text[0] for event in reader.events(limit=2, newest=True)] == ["8", "9"]
        assert reader.last_event().text[0] == "9"
        assert reader.last_event(kinds=("even", "none")).text[0] == "8"
        assert reader.last_event(kinds=("none",)) is None
        assert reader.iterations()[0].policy == HOSTILE


async def test_the_last_status_before_a_commit_wins(writer, tmp_path):
    for number in range(100):
        writer.put_status("engine", {"step": number, "note": HOSTILE, "loss": math.inf})
    writer.put_status("gpu", None)
    await writer.flush()
    with RunReader(tmp_path) as reader:
        statuses = reader.statuses()
        assert statuses["engine"].value == {"step": 99, "note": HOSTILE, "loss": math.inf}
        assert statuses["gpu"].value is None
        assert statuses["gpu"].updated <= statuses["engine"].updated + 60
    with pytest.raises(TypeError):
        writer.put_status("engine", object())


async def test_curves_keep_their_order_and_what_is_no_number(writer, tmp_path):
    for step, value in enumerate([1.5, math.nan, -math.inf]):
        writer.put_metric("loss", step, value)
        writer.put_metric("rate", step, 1.0)
    await writer.flush()
    with RunReader(tmp_path) as reader:
        assert reader.metric_names() == ["loss", "rate"]
        points = reader.metrics("loss")
        assert [point.step for point in points] == [0, 1, 2]
        assert points[0].value == 1.5
        assert math.isnan(points[1].value)
        assert points[2].value == -math.inf
        assert [point.step for point in reader.metrics("loss", after=points[0].id)] == [1, 2]


async def test_curves_are_named_in_the_order_of_their_numbers(writer, tmp_path):
    names = ["loss/0", "loss/2", "loss/10", "loss/10/a", "loss/11", f"loss/{'9' * 5000}", "rate"]
    for name in reversed(names):
        writer.put_metric(name, 0, 1.0)
    await writer.flush()
    with RunReader(tmp_path) as reader:
        assert reader.metric_names() == names


async def test_a_curve_begun_anew_has_no_point_twice(writer, tmp_path):
    for step, value in [(1, 9.0), (2, 8.0), (3, 7.0), (1, 5.0), (2, 4.0), (2, 3.0)]:
        writer.put_metric("loss", step, value)
    await writer.flush()
    with RunReader(tmp_path) as reader:
        points = reader.metrics("loss")
        assert [(point.step, point.value) for point in points] == [(1, 5.0), (2, 3.0)]
        writer.put_metric("loss", 3, 2.0)
        await writer.flush()
        assert [point.step for point in reader.metrics("loss", after=points[-1].id)] == [3]


async def test_what_was_learned_from_is_kept(writer, tmp_path):
    checkpoint = Checkpoint(0, f"checkpoints/{HOSTILE}", "grammar", "untrained", 2, 8.5, 17.0)
    examples = [
        Example(0, "sample", "hindsight", 5),
        Example(0, "sample", "hindsight", 6, rejected="every output equals its input"),
        Example(0, "refine", "(0, 34 %]", 7, parent=5, weight=0.5, run="2026-11-20-other"),
    ]
    writer.put_examples(examples[:1])
    writer.put_examples(examples[1:])
    writer.put_checkpoint(checkpoint)
    with pytest.raises(ArchiveError, match="iteration 3 has not begun"):
        writer.put_examples([Example(3, "sample", "correct", 1)])
    await writer.flush()
    with RunReader(tmp_path) as reader:
        assert reader.checkpoints() == [checkpoint]
        page = reader.examples(0, limit=2)
        page += reader.examples(0, after=page[-1][0])
        assert [example for _, example in page] == examples
        assert reader.example_counts(0) == [
            ExampleCount("refine", "(0, 34 %]", None, 1),
            ExampleCount("sample", "hindsight", None, 1),
            ExampleCount("sample", "hindsight", "every output equals its input", 1),
        ]
        assert reader.examples(1) == []


async def test_what_learning_that_was_cut_off_has_left_does_not_count_and_can_be_dropped(
    writer, tmp_path
):
    left = [Example(0, "sample", "hindsight", number) for number in range(5)]
    writer.put_examples(left)
    await writer.flush()
    with RunReader(tmp_path) as reader:
        assert (reader.examples(0), reader.example_counts(0)) == ([], [])
        rounds = 0
        while reader.left_over_examples(0):
            writer.drop_examples(0, 2)
            await writer.flush()
            rounds += 1
        assert rounds == 3
        writer.put_examples(left[3:])
        writer.put_checkpoint(Checkpoint(0, "checkpoints/0", "grammar", "untrained", 2, 8.5, 17.0))
        await writer.flush()
        assert [example for _, example in reader.examples(0)] == left[3:]
        assert not reader.left_over_examples(0)
        writer.drop_examples(0, 2)
        await writer.flush()
        assert len(reader.examples(0)) == 2


async def test_the_tail_of_pulls_is_in_commit_order_and_told_by_the_data_version(writer, tmp_path):
    await writer.flush()
    with RunReader(tmp_path) as reader:
        assert (reader.last_pull(), reader.pulls_after(0)) == (0, [])
        version = reader.data_version
        assert reader.data_version == version
        order = [7, 0, 9, 4, 2]
        for number in order:
            writer.put_pull(*unit(number))
        await writer.flush()
        assert reader.data_version != version
        tail = reader.pulls_after(0, limit=2)
        tail += reader.pulls_after(tail[-1].id)
        assert reader.last_pull() == tail[-1].id
        for number, row in zip(order, tail, strict=True):
            pull, candidates = unit(number)
            assert row.pull == pull
            assert (row.first, row.count) == (candidates[0].id, len(candidates))
            assert row.best == max(c.evaluation.accuracy for c in candidates)
            assert row.perfect == sum(c.evaluation.perfect for c in candidates)


async def test_a_reader_follows_while_the_writer_writes(writer, tmp_path):
    """Every look sees whole pulls only: as many candidates as its pulls say."""
    await writer.flush()
    looks = 0
    with RunReader(tmp_path) as reader:
        for number in range(0, 300):
            writer.put_pull(*unit(number))
            await writer.ready()
            if number % 10 == 0:
                row = await asyncio.to_thread(lambda: reader.iterations()[0])
                assert row.candidates == 3 * row.pulls
                looks += 1
        await writer.flush()
        assert reader.iterations()[0].pulls == 300
    assert looks == 30


async def test_back_pressure_holds_the_queue_down(writer, tmp_path):
    with RunReader(tmp_path) as reader:
        for number in range(3000):
            await writer.ready()
            writer.put_pull(*unit(number))
            if number == 2499:
                # 2 500 pulls are 10 000 rows; more than one queue of them cannot be waiting.
                assert reader.iterations()[0].pulls >= 1000
        await writer.flush()
        assert reader.iterations()[0].pulls == 3000


async def test_an_archive_knows_its_age(writer, tmp_path):
    with RunReader(tmp_path) as reader:
        assert abs(reader.created - (tmp_path / "archive.db").stat().st_mtime) < 60


async def test_settings_are_shown_as_written(writer, tmp_path):
    with RunReader(tmp_path) as reader:
        with pytest.raises(ArchiveError, match=r"run\.toml"):
            _ = reader.settings_text
        (tmp_path / "run.toml").write_text('tasks = "sample"\n')
        assert reader.settings_text == 'tasks = "sample"\n'
