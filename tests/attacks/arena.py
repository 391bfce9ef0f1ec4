"""The arena: a secret, listeners, a victim and neighbours, and the attacks let loose on them.

`python -m tests.attacks.arena FOLDER` runs every attack in a sandbox and prints, as JSON, the level
reached and per attack what harm it did (none: an empty list). With `--deny CALL...` it does so on a
machine that refuses these system calls, and so some of the layers. With `--bare` it runs those that
say so with no sandbox at all, one process each, to show that the arena sees harm when there is some.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.candidate import Failure, Result
from engine.programs.sandbox import Sandbox, SandboxStatus
from tests.attacks.corpus import ALL, WIN, Attack
from tests.sandbox.deprived import deny

CANARY = "CANARY"
TOKEN = "engine-token-5f1c"
GRID = as_grid([[1, 2, 3], [4, 5, 6]])
NEIGHBOUR = f'''
# {CANARY}
import numpy as np
from collections import Counter
def transform(grid):
    """{CANARY}"""
    a = np.array(grid)
    b = np.zeros((len(grid), sum(1 for _ in grid[0])), int)
    b[:, ::-1] = np.pad(a, 1)[1:-1, 1:-1]
    (top, n), = Counter(b.ravel().tolist() + [9, 9]).most_common(1)
    out = []
    for row in b.tolist():
        out.append(sorted(row) + [top, n, max(2, abs(-2)), int(str(2)), True + 1])
    return out
'''
LONER = f"class C: pass\n{NEIGHBOUR}"
"""A neighbour that the gate does not let into a batch: it runs after an attack that it follows."""
EXPECTED = pack(as_grid([[1, 2, 3, 9, 2, 2, 2, 2], [4, 5, 6, 9, 2, 2, 2, 2]]))
WON = pack(as_grid(WIN))
AT_ONCE = 12
REAPED_SECONDS = 10.0
CONFIG = SandboxConfig(workers=2, fast_cpu=0.05, cpu=0.1, wall=5.0, memory_mb=256, minimum="weak")


@dataclass
class Arena:
    """What could be harmed, and the harm seen so far."""

    folder: Path
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    victim: subprocess.Popen[bytes]
    signals: list[int] = field(default_factory=list)

    def fill(self, source: str) -> str:
        """Put the arena's names in place of the words in capitals."""
        words = {
            "SECRET": str(self.folder / "secret"),
            "DROP": str(self.folder / "drop"),
            "UNIX_PATH": str(self.folder / "unix"),
            "ABSTRACT": f"soar-{self.folder.name}",
            "TCP": str(self.tcp.getsockname()[1]),
            "UDP": str(self.udp.getsockname()[1]),
            "VICTIM": str(self.victim.pid),
            "ENGINE": str(os.getpid()),
            "TOKEN": TOKEN,
        }
        for word, value in words.items():
            source = source.replace(word, value)
        return source.replace("SOAR_" + TOKEN, "SOAR_TOKEN")

    def harm(self) -> list[str]:
        """Return what has been harmed since the last look, and put it right."""
        seen = []
        if (self.folder / "drop").is_symlink() or (self.folder / "drop").exists():
            seen.append("created a file")
        if not self._secret_is_whole():
            seen.append("changed the secret")
        self._set_up_files()
        for name in ("tcp", "unix", "abstract"):
            with contextlib.suppress(BlockingIOError):
                getattr(self, name).accept()[0].close()
                seen.append(f"connected to {name}")
        with contextlib.suppress(BlockingIOError):
            self.udp.recv(99)
            seen.append("sent a datagram")
        if self.victim.poll() is not None:
            seen.append("killed the victim")
            self.victim = _victim()
        process = psutil.Process(self.victim.pid)
        if process.status() == psutil.STATUS_STOPPED or process.nice() != os.nice(0):
            seen.append("changed the victim")
            self.victim.kill()
            self.victim.wait()
            self.victim = _victim()
        if self.signals:
            seen.append(f"signalled the engine: {self.signals}")
            self.signals.clear()
        return seen

    def _secret_is_whole(self) -> bool:
        path = self.folder / "secret"
        whole = path.is_file() and path.read_text() == "secret"
        return whole and path.stat().st_mode & 0o777 == 0o600

    def _set_up_files(self) -> None:
        drop = self.folder / "drop"
        if drop.is_dir() and not drop.is_symlink():
            drop.rmdir()
        drop.unlink(missing_ok=True)
        Path(f"{drop}.npy").unlink(missing_ok=True)
        secret = self.folder / "secret"
        secret.write_text("secret")
        secret.chmod(0o600)


def _victim() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


@contextlib.contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """Set everything up in the folder, and take it down."""
    os.environ["SOAR_TOKEN"] = TOKEN
    with contextlib.ExitStack() as stack:
        kinds = [(socket.AF_INET, 1), (socket.AF_INET, 2), (socket.AF_UNIX, 1), (socket.AF_UNIX, 1)]
        sockets = [stack.enter_context(socket.socket(*kind)) for kind in kinds]
        names = [("127.0.0.1", 0)] * 2 + [str(folder / "unix"), f"\0soar-{folder.name}"]
        for s, name in zip(sockets, names, strict=True):
            s.bind(name)
            s.setblocking(False)
            if s.type == socket.SOCK_STREAM:
                s.listen()
        place = Arena(folder, *sockets, _victim())
        place.harm()
        signal.signal(signal.SIGUSR1, lambda number, _: place.signals.append(number))
        try:
            yield place
        finally:
            place.victim.kill()
            place.victim.wait()


async def judge(sandbox: Sandbox, place: Arena, attacks: Sequence[Attack]) -> dict[str, list[str]]:
    """Run some attacks at once, each between neighbours; return the harm by attack.

    Harm to the arena is held against every one of them.
    """
    calls = [
        [NEIGHBOUR, place.fill(attack.source), LONER, NEIGHBOUR + "#2", NEIGHBOUR + "#3"]
        for attack in attacks
    ]
    async with asyncio.timeout(120):
        outcomes = await asyncio.gather(*(sandbox.run(call, [GRID]) for call in calls))
        after = await sandbox.run([NEIGHBOUR + "#4"], [GRID])
    shared = place.harm()
    harms = {}
    for attack, results in zip(attacks, outcomes, strict=True):
        harm = shared + _claims(results[1])
        for number, outcome in enumerate([results[0], *results[2:], *after]):
            if outcome != (EXPECTED,):
                harm.append(f"neighbour {number} got {outcome}")
        harms[f"{attack.family}: {attack.name}"] = harm
    return harms


def _claims(results: tuple[Result, ...]) -> list[str]:
    harm = []
    for result in results:
        if result == WON and len(WON) == len(result):
            harm.append("returned the sign of success")
        if isinstance(result, Failure) and not (
            result.text.isprintable() and len(result.text) <= 300
        ):
            harm.append("broke out of its line of text")
    return harm


async def all_attacks(place: Arena) -> dict[str, object]:
    """Run every attack in one sandbox, some at a time."""
    harms: dict[str, list[str]] = {}
    async with Sandbox(CONFIG) as sandbox:
        before = _open_files()
        for start in range(0, len(ALL), AT_ONCE):
            harms |= await judge(sandbox, place, ALL[start : start + AT_ONCE])
        status = sandbox.status
        left = {"zombies": await _zombies_left(), "descriptors": _open_files() - before}
    return {"harms": harms, "left": left, **_described(status)}


def _described(status: SandboxStatus) -> dict[str, object]:
    return {
        "level": status.level,
        "layers": dict(status.layers),
        "restarts": status.restarts,
        "mismatches": status.mismatches,
    }


async def _zombies_left() -> list[int]:
    """Return the descendants that have ended and are not reaped within a while.

    Each is a zombie for the moment between its end and its zygote's turn.
    """
    deadline = time.monotonic() + REAPED_SECONDS
    while True:
        descendants = psutil.Process().children(recursive=True)
        zombies = [process.pid for process in descendants if _is_zombie(process)]
        if not zombies or time.monotonic() > deadline:
            return zombies
        await asyncio.sleep(0.05)


def _is_zombie(process: psutil.Process) -> bool:
    """Whether a process has ended unnoticed; one that has been reaped meanwhile has not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _open_files() -> int:
    return psutil.Process().num_fds()


def bare_attacks(place: Arena) -> dict[str, object]:
    """Run the attacks that need no sandbox to fail, each in a plain process of its own."""
    harms = {}
    for attack in ALL:
        if attack.bare:
            code = place.fill(attack.source) + (
                "\nimport os, sys\n"
                "r = transform([[1, 2, 3], [4, 5, 6]])\n"
                f"os.write(1, b'won' if r == {WIN} else b'lost')\n"
            )
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, timeout=60, check=False
            )
            won = ["returned the sign of success"] if b"won" in done.stdout else []
            harms[f"{attack.family}: {attack.name}"] = place.harm() + won
    return {"harms": harms}


if __name__ == "__main__":
    with arena(Path(sys.argv[1])) as here:
        if sys.argv[2:] == ["--bare"]:
            print(json.dumps(bare_attacks(here)))
        else:
            if sys.argv[2:]:
                deny(sys.argv[3:])
            print(json.dumps(asyncio.run(all_attacks(here))))
