"""The trusted worker process: imports everything, locks itself in, then forks children for programs.

Started by file path (`python -P -s -S -B zygote.py SETTINGS`), never imported by the engine. It
runs no program itself, unpickles and evaluates nothing, and holds no expected output.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _find_our_modules() -> None:
    """Make the few modules we share with the engine importable without their packages' imports."""
    here = Path(__file__).resolve().parent
    for name, folder in (
        ("engine", here.parents[1]),
        ("engine.arc", here.parents[1] / "arc"),
        ("engine.programs", here.parent),
        ("engine.programs.sandbox", here),
    ):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


_NICENESS, _SLOW_NICENESS = 3, 10
"""Behind the engine, whose answers all workers wait for. In the slow lane a tenth of a core beside
a busy one: SCHED_IDLE (0.3 %) would starve it for minutes."""


def _relay() -> None:
    """Fork into the new process namespace; the process outside waits for the one inside."""
    from engine.programs.sandbox import layers

    inside = os.fork()
    if inside:
        os.closerange(0, 1 << 16)
        os.waitpid(inside, 0)
        os._exit(0)
    layers.die_with_parent()


def main(settings: dict[str, Any]) -> None:
    """Lock down as far as this machine allows, say so to the engine, then serve it until it goes."""
    descriptor = int(settings["descriptor"])
    try:
        served = _prepare(settings, descriptor)
    except Exception as error:
        _say(descriptor, {"error": f"{type(error).__name__}: {error}"})
        raise
    served()


def _prepare(settings: dict[str, Any], descriptor: int) -> Callable[[], None]:
    from engine.programs.sandbox import layers

    report: dict[str, str] = {}
    if settings["core"] is not None:
        os.sched_setaffinity(0, {settings["core"]})
    layers.put_on(report, "pdeathsig", layers.die_with_parent)
    if layers.put_on(report, "namespaces", layers.separate_namespaces):
        _relay()
    sys.path += settings["path"]
    from engine.programs.sandbox import preload

    preload.import_all(settings["scipy"])
    from engine.programs.sandbox import child, gate, kernel, memory, probe, serve

    preload.warm_up(settings["scipy"])
    preload.fix_seeds()
    preload.forget_import_paths()
    preload.close_standard_streams()
    reason = gate.self_check()
    report["gate"] = reason or "on"
    layers.put_on(report, "clean_memory", memory.start_clean)
    inbox, wiped = child.private_memory(frames_limit())
    outbox, _ = child.private_memory(serve.OUTBOX)
    report["wipe_on_fork"] = wiped
    if sys.platform.startswith("linux"):
        in_use = layers.address_space_in_use()
    else:
        in_use = 0
    os.nice(_SLOW_NICENESS if settings["slow"] else _NICENESS)
    _isolate(report, settings, in_use)
    if layers.put_on(report, "seccomp", _check_machine):
        layers.put_on(report, "seccomp", kernel.zygote_filter().install)
    lock_down = child.child_lock_down(report)
    layers.put_on(report, "probe", lambda: probe.check(lock_down))
    server = serve.Server(descriptor, inbox, outbox, lock_down, share=reason is None)
    _say(descriptor, {"layers": report})
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that holds an object
    return server.serve


def frames_limit() -> int:
    """Bytes of the largest request."""
    from engine.programs.sandbox import frames

    return frames.MAX_REQUEST


def _check_machine() -> None:
    from engine.programs.sandbox import kernel

    if not kernel.machine_known():
        raise OSError(0, f"no system call table for {os.uname().machine}")


def _isolate(report: dict[str, str], settings: dict[str, Any], in_use: int) -> None:
    from engine.programs.sandbox import layers

    if report["namespaces"] == "on":
        layers.put_on(report, "empty_root", layers.enter_empty_root)
    else:
        report["empty_root"] = "needs a mount namespace"
    layers.put_on(report, "uid", lambda: layers.drop_user(int(settings["uid"])))
    layers.put_on(report, "undumpable", layers.hide_memory)
    layers.put_on(report, "no_new_privs", layers.forbid_new_privileges)
    limit = in_use + int(settings["memory"])
    layers.put_on(report, "rlimits", lambda: layers.limit_resources(limit))
    from engine.programs.sandbox import kernel

    layers.put_on(report, "landlock", kernel.forbid_files_and_network)


def _say(descriptor: int, message: dict[str, Any]) -> None:
    text = json.dumps(message).encode()
    os.write(descriptor, len(text).to_bytes(4, "little") + text)


if __name__ == "__main__":
    _find_our_modules()
    main(json.loads(sys.argv[1]))
