"""Opening what a run works with: on this machine, or on the cluster its settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from engine.cluster.policy import ClusterPolicy
from engine.cluster.sandbox import ClusterSandbox
from engine.cluster.stations import Stations
from engine.config import Settings
from engine.policies import Policy
from engine.policies.llm.prompts import ChooseShot
from engine.policies.open import open_policy
from engine.programs.sandbox import Sandbox

AnySandbox: TypeAlias = Sandbox | ClusterSandbox


@asynccontextmanager
async def open_workers(
    settings: Settings, logs: Path, choose_shot: ChooseShot | None = None
) -> AsyncIterator[tuple[AnySandbox, Policy]]:
    """Open a run's sandbox and policy, and close them in the end.

    With `settings.cluster.address` programs run on the cluster, and the embedded policy proposes
    there; language models are servers anyway, wherever they are. `logs` and `choose_shot` as in
    `open_policy`.
    Raises ClusterError, and what opening the sandbox and the policy raises.
    """
    address = settings.cluster.address
    if address is None:
        async with (
            Sandbox(settings.sandbox) as sandbox,
            open_policy(settings, logs, choose_shot) as policy,
        ):
            yield sandbox, policy
        return
    async with Stations(address, settings.sandbox, settings.policy) as stations:
        if settings.policy.kind == "grammar":
            yield ClusterSandbox(stations), ClusterPolicy(stations)
            return
        async with open_policy(settings, logs, choose_shot) as policy:
            yield ClusterSandbox(stations), policy
