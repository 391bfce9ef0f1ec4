"""Opens a sandbox on a machine that denies some system calls, and prints what came of it as JSON.

`python -m tests.sandbox.deprived MINIMUM CALL...`
"""

import asyncio
import errno
import json
import platform
import sys
from collections.abc import Iterable

from engine.arc import as_grid
from engine.config import SandboxConfig
from engine.programs.candidate import Failure
from engine.programs.sandbox import Sandbox, SandboxError, kernel, layers

SOURCES = [
    "def transform(grid):\n    return grid",
    "def transform(grid):\n    while True: pass",
    "def transform(grid):\n    return 1 / 0",
    "def transform(grid):\n    return [0] * 10**11",
]
LAYERS = {
    "unshare": "namespaces",
    "landlock_create_ruleset": "landlock",
    "seccomp": "seccomp",
    "setgroups": "uid",
}
SETGROUPS = {"x86_64": 116, "aarch64": 159}


def deny(calls: Iterable[str]) -> None:
    """Have the kernel refuse these calls to this process and to all that it starts."""
    program = [(0x20, 0, 0, 0)]
    for name in calls:
        nr = SETGROUPS[platform.machine()] if name == "setgroups" else kernel.number(name)
        program += [(0x15, 0, 1, nr), (0x06, 0, 0, 0x00050000 | errno.EPERM)]
    program.append((0x06, 0, 0, 0x7FFF0000))
    layers.forbid_new_privileges()
    kernel.Filter(program).install()


async def main(minimum: str, calls: list[str]) -> dict[str, object]:
    deny(calls)
    config = SandboxConfig(workers=1, cpu=0.3, memory_mb=512, minimum=minimum)
    try:
        async with Sandbox(config) as sandbox:
            results = await sandbox.run(SOURCES, [as_grid([[1]])])
            status = sandbox.status
    except SandboxError as error:
        return {"error": str(error)}
    kinds = [r.kind if isinstance(r, Failure) else "bytes" for (r,) in results]
    off = [LAYERS[name] for name in calls]
    return {"level": status.level, "layers": dict(status.layers), "kinds": kinds, "off": off}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2:]))))
