"""A run that collapses is warned of by name, one that does not is left alone."""

import asyncio
import json

import pytest

from engine.analysis.diversity import GroupDiversity, diversity_warnings
from engine.analysis.estimates import Estimate
from tests.analysis import made
from tests.cli.program import spawn


def exactly(value):
    return None if value is None else Estimate(value, value, value)


def group(name, distance, programs=0.9, outputs=0.5):
    return GroupDiversity(name, 10, exactly(distance), exactly(programs), exactly(outputs))


def warned(*iterations):
    found = diversity_warnings(list(enumerate(iterations)))
    return [(one.name, one.iteration) for one in found]


def test_papers_own_figures_are_no_collapse():
    # SOAR §9: .25 → .13 on solved tasks, .31 → .27 on unsolved ones.
    first = (group("all", 0.28), group("solved", 0.25), group("unsolved", 0.31))
    last = (group("all", 0.2), group("solved", 0.13), group("unsolved", 0.27))
    assert warned(first, last) == []


def test_unsolved_tasks_that_lose_more_than_half_their_distance_are_a_collapse():
    first = (group("all", 0.3), group("unsolved", 0.31))
    assert warned(first, (group("all", 0.3), group("unsolved", 0.16))) == []
    assert warned(first, (group("all", 0.3), group("unsolved", 0.15))) == [
        ("diversity collapse", 1)
    ]


def test_solved_tasks_may_agree_as_much_as_they_like():
    first = (group("all", 0.3), group("solved", 0.3))
    assert warned(first, (group("all", 0.01), group("solved", 0.01, 0.01, 0.001))) == []


def test_without_truth_all_tasks_are_watched():
    assert warned((group("all", 0.3),), (group("all", 0.1),)) == [("diversity collapse", 1)]


def test_repetition_is_warned_of_from_the_first_iteration():
    assert warned((group("unsolved", 0.3, programs=0.05),)) == [("repeated programs", 0)]
    assert warned((group("unsolved", None, outputs=0.01),)) == [("repeated outputs", 0)]


@pytest.mark.parametrize(
    ("later", "collapsed"), [(1, [1]), (6, [])], ids=["one program", "six programs"]
)
def test_a_recorded_run_whose_second_iteration_tries_few_programs(tmp_path, later, collapsed):
    folder = tmp_path / "runs" / "stuck"
    asyncio.run(made.record(folder, made.settings(), seed=3, later=later))
    (run,) = json.loads(spawn(tmp_path, "analyze", "stuck", "--json").out)["runs"]
    named = [one for one in run["warnings"] if one["name"] == "diversity collapse"]
    assert [one["iteration"] for one in named] == collapsed
    first, last = (
        next(group for group in row["diversity"] if group["group"] == "unsolved")
        for row in run["iterations"]
    )
    assert (last["distance"]["value"] < first["distance"]["value"] / 2) == bool(collapsed)
    for figure in ("solved per iteration", "diversity"):
        said = " ".join(spawn(tmp_path, "analyze", "stuck", "--figure", figure).out.split())
        assert ("! diversity collapse: iteration 2:" in said) == bool(collapsed)
        assert all(f"diversity collapse: {one['text']}" in said for one in named)
