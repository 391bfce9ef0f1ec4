"""An iteration's figures are those of its own tasks, not of the whole run's."""

from engine.arc import Pair, Task, as_grid, pack
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter

ONE, TWO = as_grid([[1]]), as_grid([[2]])


def task(name, truth):
    return Task(name, (Pair(ONE, TWO),), (TWO,), truth)


async def test_training_and_target_iterations_count_their_own_tasks(tmp_path):
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks([task("a", (ONE,)), task("b", (ONE,)), task("c", None)])
    writer.begin_iteration(0, "train", "grammar", "untrained", range(2))
    writer.begin_iteration(1, "test", "grammar", "checkpoint", range(2, 3))
    writer.put_vote(0, 1, "sum", [(pack(ONE), 5.0, 1)], 0.1)
    await writer.close()
    with RunReader(tmp_path) as reader:
        training, target = reader.iterations()
        assert (training.tasks, training.known, training.finished, training.solved) == (2, 2, 1, 1)
        assert training.partial_credit == 0.5
        assert (target.tasks, target.known, target.solved, target.oracle) == (1, 0, None, None)
        assert [row.id for row in reader.task_rows(0)] == ["a", "b"]
        assert [row.id for row in reader.task_rows(1)] == ["c"]
        assert [row.id for row in reader.task_rows()] == ["a", "b", "c"]
