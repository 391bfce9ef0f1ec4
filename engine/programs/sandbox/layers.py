"""The isolation layers a zygote puts on itself, each reported as "on" or the reason it is off."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from engine.programs.sandbox import kernel

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9
_NOBODY = 65534

NOT_ROOT = "not root"
"""How the reason begins for which the layer `uid` is off where there is nothing to give up."""
Report = dict[str, str]
"""Layer: "on", or why it is off."""


def put_on(report: Report, layer: str, step: Callable[[], object]) -> bool:
    """Take one step of isolation and note how it went; returns whether it is on."""
    if not sys.platform.startswith("linux"):
        report[layer] = f"{sys.platform} has no such layer"
        return False
    try:
        step()
    except OSError as error:
        report[layer] = error.strerror or str(error)
    except ValueError as error:
        report[layer] = str(error)
    else:
        report[layer] = "on"
    return report[layer] == "on"


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent goes (cleared by a change of user)."""
    kernel.call("prctl", _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def parent_death_call() -> Callable[[], object]:
    """Return `die_with_parent` prepared, so that a child touches few pages of memory for it."""
    if not sys.platform.startswith("linux") or not kernel.machine_known():
        return lambda: None
    return kernel.prepared("prctl", _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def separate_namespaces() -> None:
    """Move to mount, network, process, IPC and host name spaces of our own.

    Root enters them directly, anyone else (and root without the capability) through a user
    namespace. Processes forked from here on are in the new process space.
    """
    user, group = os.getuid(), os.getgid()
    flags = _NEWNS | _NEWNET | _NEWPID | _NEWIPC | _NEWUTS
    if user == 0:
        try:
            kernel.call("unshare", flags)
        except kernel.KernelError:
            pass  # a container without CAP_SYS_ADMIN: a user namespace may still be allowed
        else:
            return
    kernel.call("unshare", _NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")
    kernel.call("unshare", flags)


def enter_empty_root() -> None:
    """Make an empty read-only tmpfs the root directory; needs a mount namespace of our own."""
    mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    options = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    mount(b"tmpfs", b"/proc", b"tmpfs", options, b"size=4k,mode=0555")
    os.chroot("/proc")
    os.chdir("/")


def drop_user(user: int) -> None:
    """Give up root for a user that owns nothing. Raises OSError when not root."""
    if os.getuid() != 0:
        raise OSError(0, f"{NOT_ROOT}: runs as the engine's own user")
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(user, user, user)
    die_with_parent()


def hide_memory() -> None:
    """Let no process of the same user trace this one or read its memory."""
    kernel.call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def forbid_new_privileges() -> None:
    """Make set-user-id programs powerless; seccomp and Landlock need it."""
    kernel.call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit_resources(address_space: int) -> None:
    """Bound address space (bytes), and allow no core file, no file growth, no locked memory."""
    limits = {
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_STACK: 16 << 20,
    }
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        limits[resource.RLIMIT_MSGQUEUE] = 0
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def address_space_in_use() -> int:
    """Return the bytes of address space this process has mapped."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    """Attach a file system, as the system call does. Raises OSError naming the target."""
    import ctypes

    call = ctypes.CDLL(None, use_errno=True).mount
    call.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
    if call(source, target, kind, flags, data):
        code = ctypes.get_errno()
        raise OSError(code, f"mount on {target.decode()}: {os.strerror(code)}")
