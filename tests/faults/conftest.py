"""What a run comes to that nobody disturbs: what every disturbed one is compared with."""

import pytest

from tests.faults.ground import BUDGET, LEARNED, TINY, finish, new_run, recorded, state


@pytest.fixture(scope="session")
def searched(tmp_path_factory):
    """The candidates and votes of an undisturbed search."""
    found = _undisturbed(tmp_path_factory, TINY)
    assert len(found[0]) == BUDGET
    return found


@pytest.fixture(scope="session")
def learned(tmp_path_factory):
    """The same of a run that learns between two iterations."""
    return _undisturbed(tmp_path_factory, LEARNED)


def _undisturbed(tmp_path_factory, settings):
    folder = new_run(tmp_path_factory.mktemp("undisturbed") / "run", settings)
    finish(folder)
    assert state(folder).state == "finished"
    return recorded(folder)
