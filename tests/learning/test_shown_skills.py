"""What learning makes of skills that were shown: rates out of the archive, and nothing else."""

from collections import Counter
from itertools import count

import pytest

from engine.arc import load_tasks, pack
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, override
from engine.learning.learn import Lesson, learn
from engine.learning.skills import UNTRIED, choose_skill, load_skills
from engine.programs.candidate import Candidate, Evaluation, Pull, candidate_id

TASKS = tuple(task.without_truth() for task in load_tasks("sample:3").tasks)
TARGET, HELPFUL, USELESS = (task.id for task in TASKS)
SOURCES = (
    "def transform(grid):\n    return [row[::-1] for row in grid]\n",
    "import numpy as np\n\n\ndef transform(grid):\n    return np.kron(grid, np.ones((2, 2)))\n",
    "def transform(grid):\n    grid[0][0] = max(map(max, grid))\n    return grid\n",
)
SHOWN = override(Settings(), {"policy.kind": "openai"})
CALLS = 60


def put(writer, iteration, task, number, seed, *, right, parent=None):
    """Put a pull of one program that is right on all demonstrations, or on none."""
    operator = "sample" if parent is None else "refine"
    pairs = TASKS[task].train
    outputs = [pair.output if right else pair.input for pair in pairs] + [*TASKS[task].test]
    one = Candidate(
        candidate_id(iteration, task, number),
        operator,
        number,
        0,
        parent,
        SOURCES[task],
        Evaluation(tuple(map(pack, outputs)), (right,) * len(pairs)),
    )
    pull = Pull(iteration, task, number, operator, 0, parent, None, seed, float(number), 0.1)
    writer.put_pull(pull, [one])
    return one.id


async def learned(folder, writer, iteration, settings=SHOWN, on_gathered=lambda tasks: None):
    """Learn as the engine does for a model whose weights are not ours; return the library's path."""
    with RunReader(folder) as reader:
        checkpoint = await learn(
            Lesson(iteration, range(iteration + 1), list(enumerate(TASKS))),
            settings,
            folder,
            reader=reader,
            writer=writer,
            trainer=None,
            base=None,
            on_gathered=on_gathered,
        )
    assert checkpoint is None
    return folder / "checkpoints" / f"iteration-{iteration}.skills.zst"


def shown(library, operator, seed):
    return choose_skill(library, TASKS[0], operator, seed).example.task.id


@pytest.fixture
async def run(tmp_path):
    """A run that learned from two solved tasks and then searched the third, shown one of the two.

    Whenever it was shown the helpful one its program was right, else wrong.
    """
    writer = ArchiveWriter(tmp_path)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "test", "openai:m", "untrained", range(3))
    for task in range(3):
        put(writer, 0, task, 0, 0, right=task > 0)
    writer.end_iteration(0, 1.0)
    await writer.flush()
    first = load_skills(await learned(tmp_path, writer, 0))
    assert {skill.example.task.id for skill in first.skills} == {HELPFUL, USELESS}
    assert all(skill.rates == UNTRIED for skill in first.skills)

    writer.begin_iteration(1, "test", "openai:m", "untrained", range(3))
    seed = next(seed for seed in count() if shown(first, "sample", seed) == USELESS)
    failing = put(writer, 1, 0, 0, seed, right=False)
    for number in range(1, CALLS):
        parent = failing if number % 2 else None
        helped = shown(first, "refine" if parent else "sample", number) == HELPFUL
        put(writer, 1, 0, number, number, right=helped, parent=parent)
    writer.end_iteration(1, 1.0)
    await writer.flush()
    yield tmp_path, writer
    await writer.close()


async def test_a_skill_that_helped_is_shown_more_than_one_that_never_did(run):
    library = load_skills(await learned(*run, 1))
    rates = {skill.example.task.id: skill.rates for skill in library.skills}
    for operator in ("sample", "refine"):
        assert rates[HELPFUL][operator] > 0.7
        assert rates[USELESS][operator] < 0.3
        drawn = Counter(shown(library, operator, seed) for seed in range(400))
        assert drawn[HELPFUL] > 2 * drawn[USELESS] > 0
    assert rates.get(TARGET, UNTRIED) == UNTRIED  # it was shown to none


async def test_learning_cut_off_and_begun_anew_makes_the_same_library(run):
    def cut_off(tasks):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await learned(*run, 1, on_gathered=cut_off)
    library = await learned(*run, 1)
    first = library.read_bytes()
    assert (await learned(*run, 1)).read_bytes() == first
    library.write_bytes(b"torn")
    assert (await learned(*run, 1)).read_bytes() == first


@pytest.mark.parametrize("change", [{"policy.few_shot": False}, {"policy.kind": "grammar"}])
async def test_a_policy_that_was_shown_nothing_moves_no_rate(run, change):
    library = load_skills(await learned(*run, 1, override(SHOWN, change)))
    assert all(skill.rates == UNTRIED for skill in library.skills)
