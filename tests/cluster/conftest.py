"""A real Ray cluster of several processes on this machine."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = {"object_store_memory": 1 << 27}


@pytest.fixture
def cluster(monkeypatch):
    """A head without CPUs, so that nothing runs on it; the test adds the nodes."""
    ray = pytest.importorskip("ray", reason="ray is not installed (make test-cluster)")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    head = {"num_cpus": 0, "include_dashboard": False, **NODE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def add_node(cluster):
    """Adds a node of one CPU and returns it."""
    return lambda: cluster.add_node(num_cpus=1, **NODE)
