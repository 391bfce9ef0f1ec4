"""One sandbox for all tests of behaviour: starting one costs a second."""

from collections.abc import AsyncIterator

import pytest_asyncio

from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxConfig(workers=2, cpu=0.4, memory_mb=512)) as opened:
        yield opened
