"""`soar-tui setup`: build the environments that serve and tune language models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from engine.figures.numbers import duration, size
from soar_tui.cli import terminal
from soar_tui.cli.errors import OK, InputError, OutcomeError
from soar_tui.cli.options import JsonOption
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.control.environments import Environment
    from soar_tui.cli.building import Plan
    from soar_tui.cli.documents.care import EnvironmentDocument

EPILOG = """Examples:

  soar-tui setup

  soar-tui setup serve --dry-run

  soar-tui setup train --python python3.12 --into /scratch/environments

  soar-tui setup local"""

PROGRESS_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""

NEXT = {
    "serve": "name a model: --set policy.kind=sglang --set serve.model=FOLDER (docs/gpu.md)",
    "train": "runs of the kind sglang with more than one iteration now tune by it (docs/gpu.md)",
    "train-hf": "take it by --set train.trainer=hf; on a CPU --set train.cpu=true, too",
    "local": "fetch a small model: python -m engine.policies.llm.models smollm2-135m",
}


def setup(
    *,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[serve|train|train-hf|local]",
            help="Which environment; without one, say what there is.",
            show_default=False,
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            "--python",
            metavar="PYTHON",
            help="Make it with this interpreter, or with uv a version such as 3.12.",
            show_default=False,
        ),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Install what this requirements file lists instead: a lock of yours, wheels of a "
            "machine without network.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="FOLDER",
            help="Build it in here. [default: $SOAR_HOME/environments]",
            show_default=False,
        ),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="uv|pip", help="What installs. [default: uv if it is there]"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the commands and run none.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Build an environment for language models, and let runs find it.

    sglang and the trainers pin different builds of the same packages, so each has an environment
    of its own. Its interpreter is noted in config.toml; runs whose settings name none take it.
    Indexes, proxies and caches are those pip and uv are set to. What is there already is kept.
    """
    from engine.control import soar_home
    from engine.control.environments import ENVIRONMENTS
    from soar_tui.cli.building import plan

    if name is None:
        return _list(as_json=as_json)
    if name not in ENVIRONMENTS:
        raise InputError(f"no environment {name!r}: choose one of {', '.join(ENVIRONMENTS)}")
    environment = ENVIRONMENTS[name]
    planned = plan(
        environment,
        into=(into or soar_home() / "environments").expanduser().resolve(),
        python=python,
        requirements=requirements,
        tool=_tool(tool),
    )
    unfit = environment.unfit()
    if dry_run:
        return _print_plan(planned, unfit, as_json=as_json)
    if unfit is not None and requirements is None:
        raise OutcomeError(f"{name}: {unfit}; --from FILE installs others")
    built = not planned.standing
    if built:
        _build(planned)
    return _use(planned, built=built, as_json=as_json)


def _tool(name: str | None) -> Literal["uv", "pip"] | None:
    match name:
        case None | "uv" | "pip":
            return name
    raise InputError(f"--with {name}: must be uv or pip")


def _print_plan(plan: Plan, unfit: str | None, *, as_json: bool) -> int:
    from soar_tui.cli.documents.care import SetupDocument

    if as_json:
        terminal.emit(
            SetupDocument(
                environment=plan.environment.name,
                python=str(plan.python),
                built=False,
                config=None,
                commands=plan.shell(),
                packages=[],
            )
        )
        return OK
    console = terminal.out()
    for line in plan.shell():
        console.print(line, soft_wrap=True)
    if plan.standing:
        terminal.err().print(f"{plan.folder} is there already: nothing would be run")
    elif unfit is not None:
        terminal.err().print(f"{plan.environment.name}: {unfit}")
    return OK


def _build(plan: Plan) -> None:
    """Build, saying what is going on: one line that stays in place, or one every ten seconds."""
    import shutil

    from soar_tui.cli.building import build

    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(plan.folder.parent).free
    if free < plan.environment.bytes:
        raise OutcomeError(
            f"{plan.folder.parent}: {size(free)} free, {plan.environment.name} takes about "
            f"{size(plan.environment.bytes)}; --into FOLDER builds it elsewhere"
        )
    console = terminal.err()
    about = f"{plan.environment.name}: {plan.environment.about}"
    started = time.monotonic()
    if console.is_terminal:
        with console.status(about) as status:
            build(plan, lambda line: status.update(f"{about}  {one_line(line)[:80]}"))
    else:
        console.print(f"{about}, into {plan.folder}", soft_wrap=True)
        build(plan, _now_and_then(lambda line: console.print(one_line(line), soft_wrap=True)))
    console.print(f"{plan.environment.name}: built in {duration(time.monotonic() - started)}")


def _now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that says a line if ten seconds have passed since it said the last."""
    last = time.monotonic()

    def on_line(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            say(line)

    return on_line


def _use(plan: Plan, *, built: bool, as_json: bool) -> int:
    """Note the interpreter in the user's configuration and say what it has."""
    from engine.control.environments import TABLE, config_path, interpreter
    from soar_tui.cli.documents.care import PackageDocument, SetupDocument
    from soar_tui.cli.user_config import note

    environment = plan.environment
    found = interpreter(str(plan.python), environment.shown).packages
    path = config_path()
    noted = note(path, TABLE, environment.name, str(plan.python))
    if as_json:
        terminal.emit(
            SetupDocument(
                environment=environment.name,
                python=str(plan.python),
                built=built,
                config=str(path),
                commands=plan.shell() if built else [],
                packages=[PackageDocument(name=n, version=v) for n, v in found.items()],
            )
        )
        return OK
    console = terminal.out()
    versions = ", ".join(f"{name} {version}" for name, version in found.items())
    console.print(f"{environment.name}: {versions}", soft_wrap=True)
    console.print(f"  {'built' if built else 'there already'}  {plan.python}", soft_wrap=True)
    console.print(f"  {'noted in' if noted else 'as noted in'}  {path}", soft_wrap=True)
    console.print(f"  next  {NEXT[environment.name]}", soft_wrap=True)
    return OK


def _list(*, as_json: bool) -> int:
    from engine.control.environments import ENVIRONMENTS, noted_interpreters
    from soar_tui.cli.documents.care import EnvironmentsDocument

    noted = noted_interpreters()
    documents = [
        environment_document(environment, noted.get(environment.name))
        for environment in ENVIRONMENTS.values()
    ]
    if as_json:
        terminal.emit(EnvironmentsDocument(environments=documents))
        return OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("environment")
    table.add_column("what it is", overflow="fold")
    table.add_column("here", overflow="fold")
    for document in documents:
        versions = ", ".join(f"{package.name} {package.version}" for package in document.packages)
        here = versions if document.problem is None else document.problem
        table.add_row(
            document.environment,
            document.about,
            Text(one_line(here), style="" if document.problem is None else "dim"),
        )
    console = terminal.out()
    console.print(table)
    console.print("soar-tui setup ENVIRONMENT builds one.")
    return OK


def environment_document(environment: Environment, noted: str | None) -> EnvironmentDocument:
    """Return what is there of an environment: its packages, or why it cannot be used.

    Where no interpreter is noted, ours may have what is needed.
    """
    import sys

    from engine.control.environments import interpreter, missing_packages
    from soar_tui.cli.documents.care import EnvironmentDocument, PackageDocument

    python = noted or sys.executable
    packages: list[PackageDocument] = []
    try:
        lacking = missing_packages(python, environment.imports)
        found = {} if lacking else interpreter(python, environment.shown).packages
    except OSError as error:
        problem: str | None = str(error)
    else:
        packages = [PackageDocument(name=name, version=text) for name, text in found.items()]
        problem = f"{python} lacks {', '.join(lacking)}" if lacking else None
    if noted is None and problem is not None:
        problem = environment.unfit() or "not set up"
    return EnvironmentDocument(
        environment=environment.name,
        about=environment.about,
        python=noted if problem is not None else python,
        packages=packages,
        problem=problem,
    )
