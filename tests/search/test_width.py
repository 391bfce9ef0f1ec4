"""How many tasks are searched at once: as many as keep a policy's servers busy."""

import pytest

from engine.config import Settings, override
from engine.loop import tasks_at_once


def test_a_policy_that_does_not_know_its_room_gets_the_usual_number():
    assert tasks_at_once(Settings(), 0) == 64


@pytest.mark.parametrize("capacity", [640, 1024, 8192])
def test_in_refinement_the_tasks_ask_for_at_least_what_the_servers_have_room_for(capacity):
    settings = Settings()
    asked = settings.search.pull * settings.search.in_flight * tasks_at_once(settings, capacity)
    assert asked >= capacity


def test_a_number_given_is_kept():
    assert tasks_at_once(override(Settings(), {"tasks_in_flight": 3}), 8192) == 3
