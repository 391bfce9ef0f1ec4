"""What the command line says of the sandbox's layers, on this machine and where some are denied."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import SECONDS, Ask, Said, environment

LAYERS = {
    "seccomp", "rlimits", "no_new_privs", "probe", "landlock", "namespaces", "empty_root", "uid",
    "pdeathsig", "undumpable", "wipe_on_fork", "clean_memory", "gate",
}  # fmt: skip


def on_a_machine_that_denies(calls: list[str], home: Path, *arguments: str) -> Said:
    code = (
        "from tests.sandbox.deprived import deny\n"
        f"deny({calls!r})\n"
        "from soar_tui.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=SECONDS, check=False, env=environment(home),
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def test_doctor_lists_every_layer(ask: Ask) -> None:
    checks = {check["name"]: check for check in ask("doctor", "--json").document["checks"]}
    for layer in LAYERS:
        assert layer in checks["isolation"]["detail"]
    assert "level " in checks["sandbox"]["detail"]


@pytest.mark.skipif(sys.platform != "linux", reason="layers are denied by a seccomp filter")
def test_doctor_says_why_a_layer_is_off(tmp_path: Path) -> None:
    said = on_a_machine_that_denies(["landlock_create_ruleset"], tmp_path, "doctor", "--json")
    (isolation,) = [c for c in said.document["checks"] if c["name"] == "isolation"]
    on, off = isolation["detail"].split("; off: ")
    assert "landlock" not in on
    assert "landlock (landlock_create_ruleset: Operation not permitted)" in off


@pytest.mark.skipif(sys.platform != "linux", reason="layers are denied by a seccomp filter")
@pytest.mark.parametrize("command", [["doctor"], ["evaluate", os.devnull, "--tasks", "sample"]])
def test_below_the_minimum_nothing_runs_and_what_to_allow_is_said(
    tmp_path: Path, command: list[str]
) -> None:
    said = on_a_machine_that_denies(["seccomp"], tmp_path, *command, "--json")
    assert said.code == 1
    text = said.err + said.out
    assert "level 'weak'" in text
    assert "seccomp: seccomp: Operation not permitted, needs Linux" in text
    assert "a container whose profile allows seccomp" in text
    assert json.loads((said.err or said.out).splitlines()[-1])
