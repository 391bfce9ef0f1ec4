"""What runs on a node of the cluster: an ordinary sandbox and an ordinary embedded policy.

It knows nothing of Ray: `stations.py` makes an actor of the class, on each node one.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import engine
from engine.arc import Grid, Task
from engine.config import PolicyConfig, SandboxConfig
from engine.policies.grammar import GrammarPolicy
from engine.policies.protocol import Proposal
from engine.programs.candidate import Candidate, Result
from engine.programs.sandbox import Sandbox, SandboxStatus


@dataclass(frozen=True, slots=True)
class Ran:
    """What a call of a node's sandbox gave, and what the sandbox says of itself after it."""

    results: list[tuple[Result, ...]]
    status: SandboxStatus


_DECIDING = ("arc", "cluster", "config.py", "policies/grammar", "policies/protocol.py", "programs")
"""What of the engine decides how a node answers."""


def revision() -> str:
    """Return a digest of the engine's source here; nodes with another might answer otherwise."""
    root = Path(engine.__file__).parent
    digest = hashlib.blake2b(digest_size=4)
    for place in _DECIDING:
        for file in sorted((root / place).rglob("*.py")) or [root / place]:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Station:
    """One node's sandbox and policy. All methods but `serve` may be called once it serves."""

    def __init__(self) -> None:
        self._ready: asyncio.Future[tuple[str, SandboxStatus]] | None = None
        self._sandbox: Sandbox
        self._policy: GrammarPolicy
        self._folder: Path
        self._ended: asyncio.Event

    async def serve(self, sandbox: SandboxConfig, policy: PolicyConfig) -> None:
        """Open both and keep them until `end` is called. Raises SandboxError."""
        ready = self._greeting()
        self._ended = asyncio.Event()
        try:
            with tempfile.TemporaryDirectory(prefix="soar-station-") as folder:
                self._folder = Path(folder)
                async with Sandbox(sandbox) as self._sandbox, GrammarPolicy(policy) as self._policy:
                    ready.set_result((revision(), self._sandbox.status))
                    await self._ended.wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    async def greet(self) -> tuple[str, SandboxStatus]:
        """Wait until the station serves; return its engine's revision and its sandbox's status."""
        return await self._greeting()

    async def end(self) -> None:
        """Make `serve` return."""
        self._ended.set()

    async def load(self, checkpoint: bytes | None, name: str) -> None:
        """Switch the policy to a checkpoint's bytes; None is the untrained one."""
        if checkpoint is None:
            await self._policy.load(None)
            return
        # Workers know a checkpoint by its path: two of one name must not be one file.
        digest = hashlib.blake2b(checkpoint, digest_size=8).hexdigest()
        file = self._folder / digest / name
        file.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(file.write_bytes, checkpoint)
        await self._policy.load(file)

    async def run(
        self,
        sources: Sequence[str],
        inputs: Sequence[Grid],
        confirm: Sequence[bytes] | None,
    ) -> Ran:
        """Sandbox.run here."""
        results = await self._sandbox.run(sources, inputs, confirm=confirm)
        return Ran(results, self._sandbox.status)

    async def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        """GrammarPolicy.sample here."""
        return await self._policy.sample(task, n, seed)

    async def refine(self, task: Task, parent: Candidate, n: int, seed: int) -> list[Proposal]:
        """GrammarPolicy.refine here."""
        return await self._policy.refine(task, parent, n, seed)

    def _greeting(self) -> asyncio.Future[tuple[str, SandboxStatus]]:
        # Made by the first call that comes, for only then there is a loop.
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
        return self._ready
