"""The submissions of a vote, read without the rest of its patterns."""

from engine.arc import pack
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from tests.archive.recording_process import GRIDS, TASKS, unit


async def test_submissions_are_the_two_best_of_a_recorded_vote_and_none_before(tmp_path):
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "test", "grammar", "untrained")
    for number in range(50):
        writer.put_pull(*unit(number))
    ranked = [(pack(GRIDS[place]), 9.0 - place, 1) for place in (5, 6, 7)]
    writer.put_vote(0, 5, "sum", ranked, 1.0)
    await writer.close()
    with RunReader(tmp_path) as reader:
        assert reader.submissions(0, 5) == [(pack(GRIDS[5]),), (pack(GRIDS[6]),)]
        assert reader.submissions(0, 4) is None and reader.submissions(0, 400) is None
