"""Runs put together: pooled, compared, by size; against the same worked out from raw candidates."""

from dataclasses import replace

import pytest

from engine.analysis import (
    ComparisonError,
    Member,
    PoolError,
    ReadRun,
    Side,
    compare,
    members_of,
    pool,
    scaling,
    setting_changes,
    side_of,
)
from engine.analysis.scaling import parameters_in
from engine.archive.reader import RunReader
from engine.config import override, preset
from tests.analysis import made, naive
from tests.analysis.conftest import make
from tests.exports import runs as recorded


def read(held, iteration=None):
    return ReadRun(
        held.folder.name, held.settings, held.reader, held.records, held.analysis, iteration
    )


def pooled(members, vote):
    *_, (_, _, found) = pool(members, vote)
    return found


@pytest.fixture(scope="module")
def members(runs):
    first, second = runs
    return [
        Member("first", 0, first.reader),
        Member("first", 1, first.reader),
        Member("second", 0, second.reader),
    ]


def test_a_pool_is_the_vote_over_the_union(runs, members):
    vote, tasks = runs[0].settings.vote, runs[0].reader.tasks()
    found = pooled(members, vote)
    held = [
        [naive.candidates_of(one.reader, one.iteration, task) for one in members]
        for task in range(len(tasks))
    ]

    def solved(kept):
        return sum(
            naive.solves(
                naive.submissions([c for at in kept for c in held[task][at]], vote, tasks[task]),
                tasks[task],
            )
            for task in range(len(tasks))
        )

    right = [
        [any(naive.is_right(c, task) for c in part) for part in parts]
        for parts, task in zip(held, tasks, strict=True)
    ]
    assert (found.tasks, found.solved_tasks) == (12, solved((0, 1, 2)))
    assert found.oracle_tasks == sum(map(any, right))
    for at, one in enumerate(found.members):
        others = tuple(other for other in range(3) if other != at)
        assert (one.alone_tasks, one.without_tasks) == (solved((at,)), solved(others)), one
        assert one.contribution == found.solved_tasks - one.without_tasks
        assert one.only == sum(row[at] and sum(row) == 1 for row in right)


@pytest.mark.parametrize("formula", ["prior", "invariant"])
def test_a_pool_by_the_programs_weights_counts_a_program_once(runs, members, formula):
    vote = override(preset("cpu"), {"vote.formula": formula}).vote
    tasks = runs[0].reader.tasks()
    found = pooled(members, vote)
    solved = 0
    for index, task in enumerate(tasks):
        union = [c for m in members for c in naive.candidates_of(m.reader, m.iteration, index)]
        solved += naive.solves(naive.submissions(union, vote, task), task)
    assert found.solved_tasks == solved


def test_a_run_alone_pools_its_iterations_and_several_pool_one_each(runs):
    first, second = map(read, runs)
    assert [(m.run, m.iteration) for m in members_of([first])] == [("first", 0), ("first", 1)]
    assert [(m.run, m.iteration) for m in members_of([first, second])] == [
        ("first", 1),
        ("second", 0),
    ]
    assert [(m.run, m.iteration) for m in members_of([read(runs[0], 0)])] == [("first", 0)]


def test_no_pool_without_members_or_shared_tasks(runs, tmp_path):
    other = make(tmp_path / "other", made.settings(tasks="sample:1", iterations=1), 1)
    try:
        alien = Member("other", 0, other.reader)
        with pytest.raises(PoolError, match="nothing"):
            pooled([], runs[0].settings.vote)
        empty = Member("first", 7, runs[0].reader)
        with pytest.raises(PoolError, match="share no task"):
            pooled([alien, empty], runs[0].settings.vote)
    finally:
        other.reader.close()


def test_sides_are_compared_task_by_task(runs):
    sides = [side_of(read(runs[0])), side_of(read(runs[1]))]
    found = compare(sides)
    tasks = runs[0].reader.tasks()
    marks = []
    for held, iteration in ((runs[0], 1), (runs[1], 0)):
        vote = held.settings.vote
        marks.append(
            [
                naive.solves(
                    naive.submissions(naive.candidates_of(held.reader, iteration, at), vote, task),
                    task,
                )
                for at, task in enumerate(tasks)
            ]
        )
    assert [one.task for one in found.tasks] == [task.id for task in tasks]
    assert [one.solved for one in found.tasks] == list(zip(*marks, strict=True))
    (test,) = found.tests
    pairs = list(zip(*marks, strict=True))
    counted = [pairs.count(pair) for pair in ((True, True), (True, False), (False, True))]
    assert [test.both, test.only_first, test.only_second] == counted
    assert test.neither == 12 - sum(counted)
    assert test.p_value == pytest.approx(naive.mcnemar(test.only_first, test.only_second))
    assert test.difference.value == pytest.approx((sum(marks[1]) - sum(marks[0])) / 12)
    assert [side.solved_tasks for side in found.sides] == [sum(one) for one in marks]
    assert found.budget[-1].solved_tasks == tuple(sum(one) for one in marks)


def test_a_comparison_names_the_settings_that_differ(runs):
    found = compare([side_of(read(one)) for one in runs])
    changed = {one.field: one.values for one in found.settings}
    assert changed == {"iterations": ("2", "1"), "search.c": ("20.0", "5.0")}


def test_every_setting_that_differs_is_named_and_no_other():
    one = preset("demo")
    other = override(one, {"search.samples": 7, "serve.flags": ["--x"], "policy.kind": "local"})
    found = setting_changes([one, other, one])
    assert {change.field for change in found} == {
        "search.samples",
        "serve.flags",
        "policy.kind",
    }
    assert setting_changes([one, one]) == ()


def test_runs_on_other_tasks_are_refused(runs, tmp_path):
    side = side_of(read(runs[0]))
    with pytest.raises(ComparisonError, match="two runs"):
        compare([side])
    nothing = Side("empty", 0, "grammar", None, [])
    with pytest.raises(ComparisonError, match="share no task"):
        compare([side, nothing])
    records = list(side.records)
    alike = type(records[0])
    values = {name: getattr(records[0], name) for name in alike.__dataclass_fields__}
    records[0] = alike(**{**values, "content": b"other grids"})
    with pytest.raises(ComparisonError, match="not the same"):
        compare([side, Side("second", 0, "grammar", None, records)])


def test_sizes_are_read_from_names(runs):
    first, second = map(read, runs)
    points = scaling([first, second])
    assert [(one.run, one.iteration, one.parameters) for one in points] == [
        ("first", 1, None),
        ("second", 0, None),
    ]
    served = override(
        runs[1].settings,
        {"policy.kind": "sglang", "serve.model": "/models/Qwen2.5-Coder-7B-Instruct"},
    )
    small = override(
        runs[0].settings,
        {"policy.endpoints": [{"url": "http://localhost:1/v1", "model": "qwen2.5-coder:1.5b"}]},
    )
    points = scaling([replace(second, settings=served), replace(first, settings=small)])
    assert [(one.run, one.parameters) for one in points] == [("first", 1.5e9), ("second", 7e9)]
    assert parameters_in("smollm2-135M-instruct") == 135e6
    assert parameters_in("Qwen2.5-7B-Instruct-1M") == 7e9
    assert parameters_in("gpt-5") is None
    assert parameters_in("llama4b2") is None


def test_a_size_stands_beside_the_iteration_that_is_asked_for_else_one_on_target_tasks(runs):
    first = read(runs[0])
    (point,) = scaling([replace(first, iteration=0)])
    assert (point.iteration, point.solved) == (0, first.analysis.iterations[0].solved)
    searched, learned_from = first.analysis.iterations
    iterations = (searched, replace(learned_from, phase="train"))
    (point,) = scaling([replace(first, analysis=replace(first.analysis, iterations=iterations))])
    assert point.iteration == 0
    assert scaling([replace(first, iteration=7)]) == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_task_whose_truth_one_run_does_not_know_is_left_out_of_the_pool(tmp_path, order):
    recorded.record_run(tmp_path / "all", [recorded.task("a"), recorded.task("b")], iterations=1)
    recorded.record_run(
        tmp_path / "some", [recorded.task("a"), recorded.task("b", known=False)], iterations=1
    )
    with RunReader(tmp_path / "all") as one, RunReader(tmp_path / "some") as other:
        members = [Member("all", 0, one), Member("some", 0, other)]
        found = pooled([members[at] for at in order], preset("demo").vote)
    assert (found.tasks, found.solved_tasks) == (1, 1)
