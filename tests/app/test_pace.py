"""How fast candidates come, in figures that say something of slow policies too."""

import pytest

from engine.figures.numbers import rate
from soar_tui.open_run import OpenRun
from soar_tui.pace import Pace
from soar_tui.screens.standing import OverviewQuestion, facts
from tests.app.recorded import record, settings


def seen(arrivals, seconds, *, every=0.5):
    """Return what is told after so long of candidates that came at these times."""
    pace = Pace()
    said = None
    for turn in range(int(seconds / every) + 1):
        now = turn * every
        said = pace.see(sum(moment <= now for moment in arrivals), 1000 + now)
    return said


def test_nothing_is_told_before_a_second_has_passed():
    assert seen([0.2], 1) is None


@pytest.mark.parametrize("gap", [0.05, 0.1, 0.7, 2.5, 20])
def test_a_steady_policy_is_told_as_it_is(gap):
    arrivals = [gap * number for number in range(1, int(120 / gap) + 1)]
    assert seen(arrivals, 120) == pytest.approx(1 / gap, rel=0.06)


@pytest.mark.parametrize(
    ("gap", "told"), [(0.05, "20/s"), (0.7, "1.4/s"), (2.5, "25.2/min"), (20, "3.0/min")]
)
def test_what_is_told_has_two_digits_that_say_something(gap, told):
    arrivals = [gap * number for number in range(1, int(120 / gap) + 1)]
    assert rate(seen(arrivals, 120)) == told


def test_a_slow_policy_that_gives_nothing_for_ten_seconds_still_has_its_rate():
    arrivals = [*range(0, 48, 4)]
    assert rate(seen(arrivals, 58)) == rate(seen(arrivals, 59)) != "0/s"


def test_a_fast_one_that_stops_is_seen_to_stop_within_a_minute():
    arrivals = [number / 20 for number in range(400)]
    assert seen(arrivals, 20) == 20
    assert 0 < seen(arrivals, 40) < 10
    assert seen(arrivals, 85) == 0


def test_what_came_before_a_pause_is_no_part_of_the_rate():
    pace = Pace()
    pace.see(0, 0)
    pace.clear()
    assert pace.see(500, 300) is None
    assert pace.see(520, 302) == 10


async def test_a_slow_iteration_has_an_overall_rate_that_says_something(home):
    run = OpenRun(await record(home / "runs" / "slow", chosen=settings("sample:1", iterations=1)))
    told = facts(OverviewQuestion(None).answer(run), None)[0]
    run.close()
    assert told == ("candidates", "44", "2.1/s overall")  # in 21 seconds
