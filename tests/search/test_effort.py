"""Adaptive effort: every program is given away, to those that get on, and a resume decides alike."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, preset, save_settings
from engine.loop import Past, Progress, Stage, run_iterations
from engine.policies import PolicyStatus
from engine.search.effort import progress, share_out
from engine.search.task_search import Place, search_task
from tests.search.kept import Kept
from tests.search.test_task_search import (
    SETTINGS,
    TASK,
    CountingPolicy,
    evaluate,
    go_on,
    trace,
)

scores = st.dictionaries(st.integers(0, 50), st.floats(0, 3), max_size=20)


@given(st.integers(0, 5000), scores, st.integers(1, 9))
def test_all_whole_pulls_are_shared_out_and_more_progress_never_gets_less(unspent, made, pull):
    shares = share_out(unspent, made, pull)
    assert shares.keys() == made.keys()
    assert all(share % pull == 0 and share >= 0 for share in shares.values())
    assert sum(shares.values()) == (unspent // pull * pull if made else 0)
    for one in made:
        for other in made:
            assert made[one] >= made[other] or shares[one] <= shares[other] + pull


@given(st.permutations(range(8)), st.integers(0, 500))
def test_shares_do_not_depend_on_the_order_of_tasks(order, unspent):
    made = {task: task / 7 for task in range(8)}
    assert share_out(unspent, {t: made[t] for t in order}, 4) == share_out(unspent, made, 4)


async def ready():
    pass


async def recorded(policy, extra=0, archived=()):
    kept = Kept(archived)
    await search_task(
        TASK,
        Place(5, 0, 3),
        SETTINGS,
        policy,
        evaluate,
        record=kept.record,
        recall=kept.recall,
        may_start=go_on,
        archived=iter(archived),
        extra=extra,
    )
    return kept.pulls


async def test_progress_counts_what_was_gained_and_fades_when_nothing_is():
    whole = await recorded(CountingPolicy(best=3))
    first = progress(whole[:1], 1000)
    assert first["sample"] > 0 == first["refine"]
    assert progress(whole, 1000)["sample"] < first["sample"]
    assert progress([], 10) == {"sample": 0.0, "refine": 0.0}
    assert progress(whole, 10) == first  # later programs are not looked at
    barred = [
        (p, [replace(c, evaluation=replace(c.evaluation, filter="blank")) for c in candidates])
        for p, candidates in whole
    ]
    assert sum(progress(barred, 1000).values()) == 0


@pytest.mark.parametrize("planned", [60, 62])
async def test_more_budget_begins_like_less_and_goes_on(planned, monkeypatch):
    import msgspec

    settings = msgspec.structs.replace(SETTINGS, refinements=planned)
    monkeypatch.setattr("tests.search.test_effort.SETTINGS", settings)
    plain = await recorded(CountingPolicy())
    more = await recorded(CountingPolicy(), extra=24)
    assert trace(more[: len(plain)]) == trace(plain)
    assert sum(len(candidates) for _, candidates in more) == 40 + planned + 24
    assert trace(await recorded(CountingPolicy(), 24, plain)) == trace(more[len(plain) :])


class SkilledPolicy(CountingPolicy):
    """Is good at some tasks, so that they end early, and never right on others."""

    status = PolicyStatus("counting", "untrained", 0, ready=True)

    async def load(self, checkpoint):
        pass

    async def sample(self, task, n, seed):
        self.best = 4 if task.id < "c" else 3
        return await super().sample(task, n, seed)

    async def refine(self, task, parent, n, seed):
        self.best = 4 if task.id < "c" else 3
        return await super().refine(task, parent, n, seed)


class Judge:
    """Runs the counting policy's programs."""

    async def evaluate(self, task, sources):
        return await evaluate(task, sources)

    def forget(self, task_id):
        pass


TASKS = tuple(replace(TASK, id=name) for name in "abcde")


def chosen(effort):
    import msgspec

    search = msgspec.structs.replace(SETTINGS, effort=effort, perfect_stop=5)
    return msgspec.structs.replace(preset("cpu"), search=search)


def make(folder, settings):
    if not folder.exists():
        folder.mkdir()
        save_settings(settings, folder / "run.toml")


async def run(folder: Path, settings: Settings, *, pulls: int | None = None):
    """Run one iteration in a folder, to its end or until so many more pulls have begun."""
    make(folder, settings)
    writer = ArchiveWriter(folder)
    left = [pulls]

    async def may_start():
        if left[0] is None:
            return True
        left[0] -= 1
        return left[0] >= 0

    with RunReader(folder) as reader:
        if not reader.tasks():
            writer.put_tasks(TASKS)
            await writer.flush()
        past = Past(
            ended=[row.index for row in reader.iterations() if row.ended is not None],
            checkpoints={},
            finished=reader.finished,
            pulls=reader.replay,
            candidate=reader.bare_candidate,
        )
        through = await run_iterations(
            TASKS,
            [Stage(0, "test", range(len(TASKS)))],
            settings,
            SkilledPolicy(),
            judge=Judge(),
            memory=writer,
            learn=None,
            may_start=may_start,
            past=past,
            progress=Progress(),
            start=None,
            on_ready=ready,
        )
        await writer.close()
        found = [reader.pulls(0, task) for task in range(len(TASKS))] if through else []
        votes = [reader.votes(0, task) for task in range(len(TASKS))] if through else []
    weights = [[(row.outputs, row.weight) for row in vote.ranked] for vote in votes]
    return [trace(each) for each in found], weights


def spent(traces):
    return [sum(len(programs) for *_, programs in each) for each in traces]


def test_tasks_that_end_early_leave_their_programs_to_others(tmp_path):
    fixed, _ = asyncio.run(run(tmp_path / "fixed", chosen("fixed")))
    adaptive, votes = asyncio.run(run(tmp_path / "adaptive", chosen("adaptive")))
    total = len(TASKS) * (SETTINGS.samples + SETTINGS.refinements)
    assert total - SETTINGS.pull < sum(spent(adaptive)) <= total
    assert sum(spent(fixed)) < sum(spent(adaptive))
    assert spent(adaptive)[:2] == spent(fixed)[:2]
    assert min(spent(adaptive)[2:]) > 100
    assert all(votes)
    for less, more in zip(fixed, adaptive, strict=True):
        assert more[: len(less)] == less


@pytest.mark.parametrize("pulls", [1, 9, 40, 66, 80])
def test_a_run_that_was_cut_off_shares_out_the_same(tmp_path, pulls):
    whole = asyncio.run(run(tmp_path / "whole", chosen("adaptive")))
    for _ in range(20):
        again = asyncio.run(run(tmp_path / "cut", chosen("adaptive"), pulls=pulls))
        if again[0]:
            break
    else:
        again = asyncio.run(run(tmp_path / "cut", chosen("adaptive")))
    assert again == whole


@pytest.mark.parametrize("effort", ["fixed", "adaptive"])
def test_a_search_that_was_cut_off_is_recorded_with_the_seconds_it_had(tmp_path, effort):
    folder = tmp_path / "cut"
    asyncio.run(run(folder, chosen(effort), pulls=60))
    with closing(sqlite3.connect(folder / "archive.db")) as sql, sql:
        before = dict(
            sql.execute(
                "SELECT p.task, count(DISTINCT number / 2) FROM pull AS p "
                "JOIN search AS s ON s.task = p.task WHERE s.finished IS NULL GROUP BY 1"
            )
        )
        # Two pulls are under way at once, and as long nothing is before the next two.
        sql.execute("UPDATE pull SET created = 2e6 * (number / 2), seconds = 1e6")
    assert len(before) > 1 and min(before.values()) > 1
    asyncio.run(run(folder, chosen(effort)))
    with RunReader(folder) as reader:
        for task, twos in before.items():
            assert round(reader.votes(0, task).seconds / 1e6) == twos


def test_a_task_without_progress_is_not_given_up():
    assert share_out(400, {0: 0.0, 1: 0.5}, 4)[0] > 0
    assert share_out(8, {0: 0.0, 1: 0.0}, 4) == {0: 4, 1: 4}
