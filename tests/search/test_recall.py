"""The candidate of a drawn arm: as it was recorded, wherever it is by then."""

from dataclasses import replace

import pytest

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.search import recall
from engine.search.recall import Recall
from tests.search.test_task_search import TASK, CountingPolicy, searched


@pytest.mark.parametrize("latest", [0, 3, 1_000])
async def test_an_arm_is_recalled_as_it_was_recorded(tmp_path, monkeypatch, latest):
    monkeypatch.setattr(recall, "LATEST", latest)
    _, made = await searched(CountingPolicy())
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks([replace(TASK, id=name) for name in "abct"])
    writer.begin_iteration(0, "test", "counting", "untrained")
    await writer.flush()
    with RunReader(tmp_path) as reader:
        recalled = Recall(reader.bare_candidate, writer.flush)
        for pull, candidates in made:
            replied = [replace(each, reply=f"It is {each.source}.") for each in candidates]
            writer.put_pull(pull, replied)
            recalled.add(replied)
            # At once, while nothing may be committed yet; and one of long before.
            for each in (candidates[-1], made[0][1][0]):
                assert await recalled(each.id) == each
        with pytest.raises(LookupError, match="candidate 99 is not in the archive"):
            await recalled(99)
    await writer.close()
