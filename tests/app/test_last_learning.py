"""Overview's step Learn: the last iteration learns too, where the run is set to or is made to."""

import pytest

from engine.archive.rows import Status
from engine.control import RunState
from soar_tui.feed import Header
from soar_tui.open_run import OpenRun
from soar_tui.screens.standing import OverviewQuestion, steps
from tests.app.recorded import NOW, record, settings

AT_IT = {"iteration": 0, "step": 3, "steps": 12, "loss": 1.0, "tokens": 0, "seconds": 9.0}


@pytest.fixture(params=[False, True], ids=["as-planned", "the-last-too"])
async def searched(request, home):
    """A run of one iteration that has been searched, and whether it is to learn from that."""
    chosen = settings("sample:2", iterations=1, learn_last=request.param)
    folder = await record(home / "runs" / "small", chosen=chosen)
    return folder, request.param


def learn_step(folder, state, training):
    run = OpenRun(folder)
    body = OverviewQuestion(None).answer(run)
    statuses = {"training": Status("training", training, NOW)} if training else {}
    header = Header(
        folder=folder,
        state=RunState(state, None),
        iterations=1,
        row=body.row,
        candidates=88,
        tasks=2,
        rate=None,
        settings=run.settings,
        statuses=statuses,
    )
    run.close()
    return steps(body, header)[-1]


def test_training_that_is_under_way_is_shown(searched):
    folder, _ = searched
    step = learn_step(folder, "running", AT_IT)
    assert (step.standing, step.done, step.whole) == ("running", 3, 12)


def test_the_last_iteration_is_skipped_only_where_nothing_is_learned_from_it(searched):
    folder, learns = searched
    assert learn_step(folder, "running", None).standing == ("running" if learns else "skipped")
    assert learn_step(folder, "crashed", None).standing == ("waiting" if learns else "skipped")
    assert learn_step(folder, "crashed", AT_IT).standing == ("waiting" if learns else "skipped")
