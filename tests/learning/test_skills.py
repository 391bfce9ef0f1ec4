"""The skill library: what it keeps, whom it shows what, and how it learns from what came of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import load_tasks
from engine.learning.dataset import DatasetError, write_dataset
from engine.learning.example import Example
from engine.learning.skills import (
    NEAREST,
    UNTRIED,
    choose_skill,
    credited,
    gathered_skills,
    latest_skills,
    load_skills,
    nearest,
    save_skills,
)
from engine.programs.candidate import Candidate, Evaluation, Pull

TASKS = [task.without_truth() for task in load_tasks("sample:12").tasks]
SOURCES = [
    f"def transform(grid):\n    return step_{n}(grid, {n}, {n * n})[{n}:].{chr(97 + n)}()\n"
    for n in range(24)
]


def example(number, origin="correct"):
    return Example(origin, TASKS[number % 12], SOURCES[number], number)


@pytest.fixture(scope="module")
def known():
    return gathered_skills([example(n) for n in range(12)], 50)


def test_correct_programs_of_every_task_come_before_hindsight_and_seconds():
    found = [example(0, "hindsight"), example(1), example(13), example(2), example(3, "repair")]
    kept = gathered_skills(found, 2)
    assert {skill.example.candidate for skill in kept.skills} == {1, 2}
    kept = gathered_skills(found, 10)
    assert {skill.example.candidate for skill in kept.skills} == {0, 1, 2, 13}
    assert all(skill.rates == UNTRIED for skill in kept.skills)


def test_programs_alike_are_kept_once_and_the_shortest_stays():
    longer = replace(example(5), source=SOURCES[4].replace("grid", "the_whole_grid"))
    kept = gathered_skills([longer, example(4)], 10)
    assert [skill.example.candidate for skill in kept.skills] == [4]


def test_no_task_is_shown_its_own_program(known):
    for task in TASKS:
        found = nearest(known, task, 50)
        assert len(found) == len(known.skills) - 1
        assert all(skill.example.task.id != task.id for skill, _ in found)
        alike = [similarity for _, similarity in found]
        assert alike == sorted(alike, reverse=True)
        assert 0 <= alike[-1] <= alike[0] <= 1


def test_a_task_that_looks_the_same_is_nearest(known):
    twin = replace(TASKS[7], id="another name")
    (skill, similarity), *_ = nearest(known, twin, 3)
    assert skill.example.task.id == TASKS[7].id
    assert similarity == 1.0


@given(st.integers(0, 1 << 62), st.sampled_from(["sample", "refine"]))
def test_a_call_is_always_shown_the_same_of_the_nearest(seed, operator):
    known = gathered_skills([example(n) for n in range(4)], 50)
    first, again = (choose_skill(known, TASKS[0], operator, seed) for _ in range(2))
    assert first is again
    assert first in [skill for skill, _ in nearest(known, TASKS[0], NEAREST)]


def test_an_empty_library_and_one_of_the_task_alone_show_nothing():
    assert choose_skill(gathered_skills([], 5), TASKS[0], "sample", 1) is None
    assert choose_skill(gathered_skills([example(0)], 5), TASKS[0], "sample", 1) is None


def pulled(seed, operator="sample", *, right, parent=None, barred=None):
    evaluation = Evaluation((b"",) * 3, (right, True), barred)
    candidate = Candidate(seed, operator, 0, 0, parent, "x", evaluation)
    return Pull(0, 0, 0, operator, 0, parent, None, seed, 0.0, 0.0), [candidate]


def test_what_helped_is_shown_more_and_what_did_not_less():
    known = gathered_skills([example(0), example(1)], 5)
    shown = choose_skill(known, TASKS[0], "sample", 7)
    (place,) = [n for n, skill in enumerate(known.skills) if skill is shown]
    better = credited(known, [(TASKS[0], [pulled(7, right=True)])]).skills[place]
    worse = credited(known, [(TASKS[0], [pulled(7, right=False)])]).skills[place]
    assert worse.rates["sample"] < 0.5 < better.rates["sample"]
    assert better.rates["refine"] == worse.rates["refine"] == 0.5
    assert known.skills[place].rates == UNTRIED
    repaired = [pulled(7, right=False), pulled(8, "refine", right=True, parent=7)]
    again = credited(known, [(TASKS[0], repaired)]).skills[place]
    assert again.rates["refine"] > 0.5


def test_a_child_no_better_than_a_parent_that_a_filter_bars_is_no_help():
    known = gathered_skills([example(0)], 5)
    pulls = [
        pulled(7, right=False, barred="invalid"),
        pulled(8, "refine", right=False, parent=7),
        pulled(9, "refine", right=True, parent=7, barred="blank"),
    ]
    (skill,) = credited(known, [(TASKS[1], pulls)]).skills
    assert skill.rates["refine"] == pytest.approx(0.5 * 0.9 * 0.9)


def test_calls_count_in_the_order_in_which_they_were_made():
    known = gathered_skills([example(0)], 5)

    def made(at, right):
        pull, candidates = pulled(at, right=right)
        return replace(pull, created=float(at)), candidates

    searches = [(TASKS[1], [made(3, False)]), (TASKS[2], [made(1, True), made(2, True)])]
    (skill,) = credited(known, searches).skills
    assert skill.rates["sample"] == pytest.approx(((0.5 * 0.9 + 0.1) * 0.9 + 0.1) * 0.9)


def test_a_call_that_no_reply_came_to_says_nothing():
    known = gathered_skills([example(0)], 5)
    pull, (candidate,) = pulled(7, right=False)
    for finish in ("refused", "abort"):
        unanswered = [replace(candidate, source=None, evaluation=None, finish=finish)] * 4
        (skill,) = credited(known, [(TASKS[1], [(pull, unanswered)])]).skills
        assert skill.rates == UNTRIED


def test_the_latest_library_counts_and_a_damaged_one_is_none(known, tmp_path, caplog):
    assert latest_skills(tmp_path, range(3)) is None
    save_skills(known, tmp_path / "iteration-0.skills.zst")
    assert len(latest_skills(tmp_path, range(3)).skills) == len(known.skills)
    save_skills(gathered_skills([example(3)], 5), tmp_path / "iteration-2.skills.zst")
    assert len(latest_skills(tmp_path, range(3)).skills) == 1
    (tmp_path / "iteration-2.skills.zst").write_bytes(b"torn")
    assert latest_skills(tmp_path, range(3)) is None
    assert "iteration-2.skills.zst" in caplog.text


def test_a_library_comes_back_from_its_file_and_rates_outlive_a_new_one(known, tmp_path):
    tried = credited(known, [(TASKS[0], [pulled(n, right=True) for n in range(9)])])
    save_skills(tried, tmp_path / "one")
    again = load_skills(tmp_path / "one")
    assert [(s.example.source, s.rates) for s in again.skills] == [
        (s.example.source, s.rates) for s in tried.skills
    ]
    assert (again.vectors == tried.vectors).all()
    fresh = gathered_skills([example(n) for n in range(12)], 50, again)
    assert {s.example.source: s.rates for s in fresh.skills} == {
        s.example.source: s.rates for s in tried.skills
    }


def test_a_dataset_is_no_library(tmp_path):
    write_dataset([example(0)], tmp_path / "data")
    with pytest.raises(DatasetError, match="line 1: rates"):
        load_skills(tmp_path / "data")
