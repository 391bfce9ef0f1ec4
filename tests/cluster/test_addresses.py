"""Asking for a cluster: which addresses there are, and what is said when none answers."""

import sys

import pytest

from engine.cluster.connection import ClusterError
from engine.cluster.stations import Stations
from engine.config import ConfigError, PolicyConfig, SandboxConfig, Settings, override


@pytest.mark.parametrize("address", ["auto", "ray://head.example:10001", "10.0.0.7:6379"])
def test_an_address_is_taken(address):
    assert override(Settings(), {"cluster.address": address}).cluster.address == address


@pytest.mark.parametrize("address", ["", "ray://", "ray://head", "head", "http://head:10001"])
def test_what_is_no_address_is_refused_by_its_name(address):
    with pytest.raises(ConfigError, match="cluster"):
        override(Settings(), {"cluster.address": address})


async def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # what Python itself does for a missing package
    with pytest.raises(ClusterError, match=r"soar-tui\[cluster\]"):
        async with Stations("auto", SandboxConfig(), PolicyConfig()):
            pass


def test_a_run_without_a_cluster_never_imports_ray():
    code = "import sys, engine.__main__, engine.control.process; sys.exit('ray' in sys.modules)"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
