"""The connection to a Ray cluster: the only place that imports Ray, and only when asked to."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from engine.cluster.station import Station

_LONGEST_LINE: Final = 300


class ClusterError(RuntimeError):
    """A cluster that cannot be used; the message says what to install, start or look at."""


async def connect(address: str, seconds: float) -> Any:
    """Connect this process to the cluster at an address and return Ray itself.

    Raises ClusterError when it is not installed or no cluster answers in so many seconds.
    """
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            f"cluster.address {address}: Ray is not installed; pip install 'soar-tui[cluster]'"
        ) from error
    try:
        async with asyncio.timeout(seconds):
            await asyncio.to_thread(
                ray.init,
                address,
                namespace="soar-tui",
                log_to_driver=False,
                logging_level=logging.ERROR,  # what matters of it we say ourselves
            )
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"cluster.address {address}: no Ray cluster answers: {one_line(error)}. Start one with "
            "`ray start --head`, more nodes with `ray start --address=HOST:6379`"
        ) from error
    return ray


def start_on(ray: Any, node: str, cores: int) -> Any:
    """Start a station on a node, which it has to itself, and return the actor that it is."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    options = {
        "num_cpus": cores,
        "max_restarts": 0,
        "max_task_retries": 0,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
    }
    return ray.remote(Station).options(**options).remote()


def one_line(error: BaseException) -> str:
    """Return an error on one line; Ray's go over many."""
    text = " ".join(str(error).split())
    return text[:_LONGEST_LINE] or type(error).__name__
