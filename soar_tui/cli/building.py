"""Building an environment: the commands that do it, and doing it so that nothing stays half-made.

A folder under construction holds no stamp. It gets one as the very last thing; whatever is found
without is removed before building begins again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import selectors
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.control.environments import (
    OVERRIDES,
    Environment,
    interpreter,
    leashed,
    missing_packages,
)
from soar_tui.cli.errors import InputError, OutcomeError

STAMP = "soar-tui.json"
SILENT_SECONDS = 3600.0
"""An installer that says nothing for as long is ended; a wheel of 1 GB may take its time."""
TAIL_LINES = 15
OLDEST_PYTHON = (3, 11)

Tool: TypeAlias = Literal["uv", "pip"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How an environment is to be built: where, and by which commands in turn."""

    environment: Environment
    folder: Path
    commands: tuple[tuple[str, ...], ...]

    @property
    def python(self) -> Path:
        """The interpreter it will have."""
        return self.folder / "bin" / "python"

    @property
    def log(self) -> Path:
        """Where what the commands print goes."""
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def standing(self) -> bool:
        """Whether it has been built before and still answers with all its packages."""
        if not (self.folder / STAMP).is_file():
            return False
        try:
            return not missing_packages(str(self.python), self.environment.imports)
        except OSError:
            return False

    def shell(self) -> list[str]:
        """Return the commands as lines for a shell."""
        return [shlex.join(command) for command in self.commands]


def plan(
    environment: Environment,
    *,
    into: Path,
    python: str | None,
    requirements: Path | None,
    tool: Tool | None,
) -> Plan:
    """Return how to build an environment under a folder.

    `python` is the interpreter it is made with (None: ours), `requirements` a file of what to
    install in place of the environment's own list, `tool` what installs (None: uv if it is there).
    Two plans that would install the same have the same folder. Raises InputError.
    """
    uv = shutil.which("uv")
    if tool == "uv" and uv is None:
        raise InputError("--with uv: there is no uv on the PATH; take --with pip")
    by_uv = uv is not None and tool != "pip"
    base = python or sys.executable
    if not by_uv or python is None:
        _check_python(base)
    wanted = list(environment.requirements)
    chosen = "\n".join(wanted)
    if requirements is not None:
        try:
            chosen = requirements.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--from {requirements}: cannot be read: {error}") from error
        wanted = ["--requirement", str(requirements.resolve())]
    digest = hashlib.sha256(f"{base}\n{chosen}".encode()).hexdigest()[:8]
    folder = into / f"{environment.name}-{digest}"
    inside = str(folder / "bin" / "python")
    if by_uv:
        assert uv is not None
        make: tuple[str, ...] = (uv, "venv", "--python", base, str(folder))
        install = (uv, "pip", "install", "--python", inside, "--override", str(OVERRIDES), *wanted)
    else:
        make = (base, "-m", "venv", str(folder))
        install = (inside, "-m", "pip", "install", "--disable-pip-version-check", *wanted)
    return Plan(environment, folder, (make, install))


def build(plan: Plan, on_line: Callable[[str], None]) -> None:
    """Build an environment; `on_line` hears what the commands print, line by line.

    Raises OutcomeError when it fails or is being built elsewhere; its folder is gone then.
    """
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(plan.folder.parent).free
    with _alone(plan):
        shutil.rmtree(plan.folder, ignore_errors=True)
        try:
            with plan.log.open("w", encoding="utf-8") as log:
                for command in plan.commands:
                    log.write(f"$ {shlex.join(command)}\n")
                    _run(command, log.write, on_line, plan.log, free)
            _check_built(plan)
            stamp = {"environment": plan.environment.name, "commands": plan.shell()}
            (plan.folder / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        finally:
            if not (plan.folder / STAMP).is_file():
                shutil.rmtree(plan.folder, ignore_errors=True)


def _check_python(python: str) -> None:
    try:
        version = interpreter(python, ()).python
    except OSError as error:
        raise InputError(f"--python {error}") from error
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise InputError(f"--python {python}: is Python {version}; {oldest} or newer is needed")


def _check_built(plan: Plan) -> None:
    try:
        lacking = missing_packages(str(plan.python), plan.environment.imports)
    except OSError as error:
        raise OutcomeError(f"{plan.environment.name}: {error}") from error
    if lacking:
        raise OutcomeError(
            f"{plan.environment.name}: what was installed holds no {', '.join(lacking)}; "
            f"{plan.log} has the details"
        )


@contextlib.contextmanager
def _alone(plan: Plan) -> Iterator[None]:
    """Let no second process build beside us; the lock ends with its holder."""
    with (plan.folder.parent / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutcomeError(
                f"{plan.folder.parent}: another process is building there"
            ) from error
        yield


def _run(
    command: tuple[str, ...],
    write: Callable[[str], object],
    on_line: Callable[[str], None],
    log: Path,
    free: int,
) -> None:
    """Run a command to its end, passing on its lines. Raises OutcomeError when it fails."""
    # Ours must not leak into the environment that is made; indexes and proxies stay as they are.
    foreign = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    tail: list[str] = []
    process = subprocess.Popen(
        leashed(command),  # whatever ends us, ends it
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=kept,
        start_new_session=True,
    )
    try:
        for line in _lines(process):
            write(line + "\n")
            tail = [*tail[-TAIL_LINES + 1 :], line]
            on_line(line)
        code = process.wait(SILENT_SECONDS)
    except TimeoutError:
        raise OutcomeError(f"{shlex.join(command)}\nsaid nothing for an hour; see {log}") from None
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.wait()
        process.stdout.close()
    if code:
        hint = _hint("\n".join(tail), free)
        said = "\n".join([f"{shlex.join(command)}", f"ended with exit code {code}:", *tail])
        raise OutcomeError(f"{said}\n{hint}the whole of it is in {log}")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield a process's lines as they come. Raises TimeoutError after SILENT_SECONDS of none."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            deadline = time.monotonic() + SILENT_SECONDS
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            block = os.read(descriptor, 65536)
            *whole, rest = (rest + block).replace(b"\r", b"\n").split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole if line.strip())
            if not block:
                if rest.strip():
                    yield rest.decode("utf-8", "replace")
                return


def _hint(said: str, free: int) -> str:
    """Return what would help against a failure that is known, as a line, or nothing."""
    if "No space left" in said:
        return f"there were {free / 1e9:.1f} GB free; --into FOLDER builds elsewhere\n"
    if "ensurepip" in said:
        return "this Python comes without venv: install uv, or the package python3-venv\n"
    if "certifi" in said:
        return "uv can overrule that requirement: install uv and try again\n"
    return ""
