"""What `soar-tui doctor` says of GPUs and of the environments that use them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from typing import TYPE_CHECKING, Literal

from rich.console import Console

from engine.figures.numbers import size
from soar_tui.cli.documents.care import CheckDocument
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.control.gpu_check import Part

MIB = 1 << 20

_STATES: dict[str, Literal["ok", "failed", "missing"]] = {
    "ran": "ok",
    "failed": "failed",
    "not available": "missing",
}


def graphics() -> CheckDocument:
    """Ask which GPUs there are, and how much memory of each is free."""
    from engine.control.gpus import GpuQueryError, query_gpus

    try:
        gpus = query_gpus()
    except GpuQueryError as error:
        return _optional("gpu", "note", one_line(str(error)))
    told = [
        f"{gpu.name}, {size(gpu.free * MIB)} of {size(gpu.memory * MIB)} free, driver {gpu.driver}"
        for gpu in gpus
    ]
    return _optional("gpu", "ok", one_line("; ".join(told)))


def environments() -> list[CheckDocument]:
    """Look at the environments of language models and at Ray, without importing any of it."""
    from engine.config import ConfigError
    from engine.control.environments import ENVIRONMENTS, config_path, glibc, noted_interpreters
    from soar_tui.cli.setup import environment_document

    found = glibc()
    library = "not glibc" if found is None else f"glibc {'.'.join(map(str, found))}"
    checks = [_optional("c library", "note", f"{library} (sglang's wheels need glibc 2.34)")]
    try:
        noted = noted_interpreters()
    except ConfigError as error:
        hint = f"mend {config_path()}"
        return [*checks, _optional("environments", "missing", str(error), hint)]
    for name, environment in ENVIRONMENTS.items():
        document = environment_document(environment, noted.get(name))
        if document.problem is None:
            versions = ", ".join(f"{one.name} {one.version}" for one in document.packages)
            checks.append(_optional(name, "ok", f"{versions}, at {document.python}"))
        elif name in noted:
            hint = f"soar-tui setup {name} builds it anew"
            checks.append(_optional(name, "missing", document.problem, hint))
        else:
            detail = f"{document.problem} ({environment.about}; optional)"
            helps = None if environment.unfit() else f"soar-tui setup {name}"
            checks.append(_optional(name, "note", detail, helps))
    return [*checks, _ray()]


def _ray() -> CheckDocument:
    if importlib.util.find_spec("ray") is None:
        hint = "pip install 'soar-tui[cluster]'"
        return _optional(
            "ray", "note", "not installed (spreads programs over machines; optional)", hint
        )
    return _optional("ray", "ok", importlib.metadata.version("ray"))


def gpu_parts(found: CheckDocument, model: str | None, console: Console) -> list[CheckDocument]:
    """Try each part of the GPU path, and say of each whether it ran here, and if not why."""
    if found.state != "ok":
        why = f"no GPU: {found.detail}"
        return [
            _optional(name, "missing", f"not available: {why}")
            for name in ("query", "serve", "train", "reload")
        ]
    from engine.control import soar_home
    from engine.control.gpu_check import check_gpu_path

    folder = soar_home() / "gpu-check"
    shutil.rmtree(folder, ignore_errors=True)  # but the last one's logs are kept until now
    folder.mkdir(parents=True)
    parts = _watched(console, lambda say: check_gpu_path(folder, say, model=model, gpu=True))
    query = _optional("query", "ok", f"ran: {found.detail}")
    return [query, *(_part(part) for part in parts)]


def _watched(console: Console, check: Callable[[Callable[[str], None]], list[Part]]) -> list[Part]:
    if not console.is_terminal:
        return check(console.print)
    with console.status("GPU path") as status:
        return check(status.update)


def _part(part: Part) -> CheckDocument:
    # What a server logs is told line by line.
    first, *rest = part.detail.splitlines()
    detail = "\n".join([f"{part.outcome}: {one_line(first)}", *map(one_line, rest)])
    return _optional(part.name, _STATES[part.outcome], detail, part.hint)


def _optional(
    name: str,
    state: Literal["ok", "missing", "note", "failed"],
    detail: str,
    hint: str | None = None,
) -> CheckDocument:
    return CheckDocument(name=name, state=state, needed=False, detail=detail, hint=hint)
