"""kill -9 and signals at random moments: nothing acknowledged is lost, nothing is doubled."""

import random

import pytest

from engine.config import override
from tests.faults.ground import BUDGET, TINY, finish, new_run, recorded, state
from tests.faults.moments import LEARNING, SEARCHING, disturb

SEARCH_FAULTS = [kind for kind in SEARCHING for _ in range(2)] + ["engine"] * 4
LEARNED = override(TINY, {"iterations": 2, "search.samples": 10, "search.refinements": 10})


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = new_run(tmp_path_factory.mktemp("faults") / "undisturbed")
    finish(folder)
    found = recorded(folder)
    assert len(found[0]) == BUDGET
    assert state(folder).state == "finished"
    return found


def test_a_search_disturbed_at_random_moments_ends_as_if_it_had_not_been(tmp_path, searched):
    folder = new_run(tmp_path / "run")
    tally = disturb(folder, SEARCH_FAULTS, searched, random.Random(1))
    assert (tally.lost, tally.doubled, tally.untrue) == (0, 0, 0), tally.moments
    assert tally.faults >= len(SEARCH_FAULTS) - 3, tally.moments


def test_learning_disturbed_at_random_moments_is_begun_anew(tmp_path):
    quiet = new_run(tmp_path / "undisturbed", LEARNED)
    finish(quiet)
    folder = new_run(tmp_path / "run", LEARNED)
    tally = disturb(folder, ["zygote", *LEARNING], recorded(quiet), random.Random(2))
    assert (tally.lost, tally.doubled, tally.untrue) == (0, 0, 0), tally.moments
    assert tally.faults >= len(LEARNING), tally.moments
