"""REX against SOAR §5."""

import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.programs.candidate import Candidate, Evaluation, Failure
from engine.search.rex import Population, may_be_arm, posterior

GRID = b"\x01\x01\x00"


def candidate(name, right, pairs=4, *, barred=None, results=None):
    evaluation = Evaluation(
        results or (GRID,) * (pairs + 1), tuple(i < right for i in range(pairs)), barred
    )
    return Candidate(
        id=zlib.crc32(name.encode()),
        operator="sample",
        pull=0,
        island=0,
        parent=None,
        source=f"program {name}",
        evaluation=evaluation,
    )


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5000)), min_size=1),
    st.floats(0.1, 100),
)
def test_posterior_is_the_formula(arms, c):
    accuracy = np.array([a for a, _ in arms])
    pulls = np.array([n for _, n in arms])
    alpha, beta = posterior(accuracy, pulls, c)
    for (a, n), x, y in zip(arms, alpha, beta, strict=True):
        assert x == pytest.approx(1 + c * a)
        assert y == pytest.approx(1 + c * (1 - a) + n)


def test_draws_follow_the_posterior_and_count_at_launch():
    """With no children ever returned, N alone must spread the pulls (direct transcription)."""
    arms = [candidate("a", 1), candidate("b", 2), candidate("c", 3)]
    population = Population("rex", 20.0)
    for arm in arms:
        population.add(arm)
    pulls = np.zeros(3, dtype=np.int64)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        theta = rng.beta(
            1 + 20 * np.array([0.25, 0.5, 0.75]), 1 + 20 * np.array([0.75, 0.5, 0.25]) + pulls
        )
        expected = int(theta.argmax())
        draw = population.draw(4, np.random.default_rng(seed))
        assert draw.arm == arms[expected].id
        assert draw.value == theta[expected]
        pulls[expected] += 4
    assert (pulls > 0).all()


def test_without_discount_the_best_arm_keeps_most_pulls():
    taken = {}
    for bandit in ("rex", "thompson-no-discount"):
        population = Population(bandit, 20.0)
        arms = [candidate("weak", 1), candidate("good", 3)]
        for arm in arms:
            population.add(arm)
        taken[bandit] = Counter(
            population.draw(4, np.random.default_rng(seed)).arm for seed in range(200)
        )
    good = candidate("good", 3).id
    assert taken["thompson-no-discount"][good] > taken["rex"][good]


def test_greedy_takes_the_most_accurate_and_the_least_drawn_among_equals():
    population = Population("greedy", 20.0)
    for name in ("a", "b"):
        population.add(candidate(name, 3))
    population.add(candidate("worse", 2))
    rng = np.random.default_rng(0)
    drawn = [population.draw(4, rng).arm for _ in range(4)]
    assert drawn == [candidate(name, 3).id for name in "abab"]


def test_uniform_draws_every_arm():
    population = Population("uniform", 20.0)
    for right in range(4):
        population.add(candidate(str(right), right))
    rng = np.random.default_rng(0)
    drawn = Counter(population.draw(4, rng).arm for _ in range(400))
    assert min(drawn.values()) > 50


@pytest.mark.parametrize(
    ("arm", "may"),
    [
        (candidate("partly right", 2), True),
        (candidate("right on nothing", 0), True),
        (candidate("perfect", 4), False),
        (candidate("identity", 2, barred="identity"), False),
        (
            candidate(
                "fails on one",
                2,
                barred="invalid",
                results=(GRID,) * 4 + (Failure("exception", "x"),),
            ),
            True,
        ),
        (
            candidate("fails on all", 0, barred="invalid", results=(Failure("timeout", "x"),) * 5),
            False,
        ),
    ],
)
def test_who_may_be_an_arm(arm, may):
    assert may_be_arm(arm) is may
    population = Population("rex", 20.0)
    population.add(arm)
    assert len(population) == may


def test_a_program_is_an_arm_once():
    population = Population("rex", 20.0)
    population.add(candidate("same", 2))
    population.add(candidate("same", 2))
    assert len(population) == 1


def test_many_arms_grow_without_losing_one():
    population = Population("uniform", 20.0)
    for number in range(1000):
        population.add(candidate(str(number), number % 4))
    assert len(population) == 1000
    with pytest.raises(IndexError, match="no arm"):
        Population("rex", 20.0).draw(4, np.random.default_rng(0))
