"""kill -9 and signals at random moments: nothing acknowledged is lost, nothing is doubled."""

import random

from tests.faults.ground import LEARNED, new_run
from tests.faults.moments import LEARNING, SEARCHING, disturb

SEARCH_FAULTS = [kind for kind in SEARCHING for _ in range(2)] + ["engine"] * 4


def test_a_search_disturbed_at_random_moments_ends_as_if_it_had_not_been(tmp_path, searched):
    folder = new_run(tmp_path / "run")
    tally = disturb(folder, SEARCH_FAULTS, searched, random.Random(1))
    assert (tally.lost, tally.doubled, tally.untrue) == (0, 0, 0), tally.moments
    assert tally.faults >= len(SEARCH_FAULTS) - 3, tally.moments


def test_learning_disturbed_at_random_moments_is_begun_anew(tmp_path, learned):
    folder = new_run(tmp_path / "run", LEARNED)
    tally = disturb(folder, ["zygote", *LEARNING], learned, random.Random(2))
    assert (tally.lost, tally.doubled, tally.untrue) == (0, 0, 0), tally.moments
    assert tally.faults >= len(LEARNING), tally.moments
