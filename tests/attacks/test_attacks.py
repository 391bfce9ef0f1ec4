"""Every attack of the corpus, as the user who runs the tests and, if that is root, as another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.as_nobody import NOBODY
from tests.attacks.corpus import ALL

ROOT = Path(__file__).parents[2]
NAMES = [f"{attack.family}: {attack.name}" for attack in ALL]
USERS = ["root", "ordinary user"] if os.getuid() == 0 else ["ordinary user"]


@cache
def outcome(user: str, *options: str) -> dict[str, Any]:
    """Run the arena once as that user, in a temporary folder of that user's."""
    other = os.getuid() == 0 and user != "root"
    through = ["-m", "tests.attacks.as_nobody"] if other else ["-m"]
    with tempfile.TemporaryDirectory() as folder:
        if other:
            os.chown(folder, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, *through, "tests.attacks.arena", folder, *options],
            cwd=ROOT, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
    if other and b"unshare: " in done.stderr:
        pytest.skip("root without the right to a mount namespace cannot lend its interpreter")
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def test_there_are_attacks_enough_and_their_names_are_distinct():
    assert len(set(NAMES)) == len(NAMES) >= 80


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_attack_does_no_harm(name, user):
    if outcome(user)["level"] != "strong":
        pytest.skip(f"this machine allows no level strong: {outcome(user)['layers']}")
    assert outcome(user)["harms"][name] == []


def test_at_level_reduced_the_walls_alone_hold():
    """No namespaces, no Landlock, and root stays root: docs/security.md says that none succeeds."""
    if outcome(USERS[0])["level"] != "strong":
        pytest.skip("this machine allows no level strong")
    done = outcome(USERS[0], "--deny", "unshare", "landlock_create_ruleset", "setgroups")
    assert done["level"] == "reduced"
    assert {name: harm for name, harm in done["harms"].items() if harm} == {}


@pytest.mark.parametrize("user", USERS)
def test_no_attack_leaves_a_zombie_or_an_open_file_or_costs_a_worker(user):
    done = outcome(user)
    assert done["left"] == {"zombies": [], "descriptors": 0}
    assert done["restarts"] == 0


@pytest.mark.parametrize("name", [f"{a.family}: {a.name}" for a in ALL if a.bare])
def test_without_a_sandbox_the_arena_sees_the_harm(name):
    assert outcome(USERS[-1], "--bare")["harms"][name] != []
