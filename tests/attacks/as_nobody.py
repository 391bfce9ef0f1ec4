"""Runs `python -m MODULE ARGUMENTS` as an ordinary user, started by root.

An interpreter under a folder that only root may enter (such as /root) is made reachable in a mount
namespace of this process alone: nothing outside it changes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.programs.sandbox import kernel, layers

NOBODY = 65534
NEW_MOUNTS = 0x00020000
BIND, RECURSIVE, PRIVATE = 4096, 1 << 14, 1 << 18


def make_reachable(needed: list[Path]) -> None:
    """Let everyone reach these folders, whatever the folders above them allow."""
    kernel.call("unshare", NEW_MOUNTS)
    layers.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None)
    for folder in needed:
        closed = [above for above in folder.parents if not above.stat().st_mode & 0o001]
        if not closed:
            continue
        opened = os.open(folder, os.O_PATH)
        layers.mount(b"tmpfs", bytes(closed[-1]), b"tmpfs", 0, b"mode=0755")
        folder.mkdir(parents=True)
        layers.mount(b"/proc/self/fd/%d" % opened, bytes(folder), None, BIND, None)
        os.close(opened)


if __name__ == "__main__":
    make_reachable([Path(sys.base_prefix), Path(sys.prefix), Path.cwd()])
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
