"""Curves for trackers: what is new in the archive, once, while a run goes on."""

import asyncio
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.exports.output import ExportError
from engine.exports.tracking import EventFile, Seen, new_points, open_tracker
from tests.exports.runs import task


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    read = EventAccumulator(str(folder))
    read.Reload()
    return {
        tag: [(point.step, point.value) for point in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }


async def test_only_what_is_new_is_told(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks([task("a")])
    writer.begin_iteration(0, "test", "grammar", "untrained")
    writer.put_metric("loss", 1, 3.0)
    await writer.flush()
    seen = Seen()
    tracker = EventFile(tmp_path / "tb")
    with RunReader(tmp_path) as reader:
        told = [[(p.name, p.step, p.value) for p in new_points(reader, seen)]]
        told.append([(p.name, p.step, p.value) for p in new_points(reader, seen)])
        writer.put_metric("loss", 2, 2.0)
        await writer.flush()
        for point in new_points(reader, seen):
            tracker.put(point)
        tracker.flush()
        # TensorBoard sees it before the tracker is closed.
        assert await asyncio.to_thread(curves, tmp_path / "tb") == {"loss": [(2, 2.0)]}
    tracker.close()
    assert told == [[("loss", 1, 3.0)], []]
    await writer.close()


def test_a_tracker_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="pip install trackio"):
        open_tracker("trackio", "run", "project", tmp_path)
