"""`soar-tui evaluate`: run programs of your own in the sandbox, a JSON row in, a JSON row out."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.figures.numbers import duration, rate
from soar_tui.cli import terminal
from soar_tui.cli.documents.tasks import EvaluatedGridDocument, EvaluationDocument, ProgramDocument
from soar_tui.cli.errors import OK, InputError, OutcomeError
from soar_tui.cli.options import SetOption, settings_from
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.arc import Task
    from engine.config import SandboxConfig
    from engine.control.evaluating import GivenProgram, SandboxStatus
    from engine.programs.candidate import Evaluation, Result

EPILOG = """A row in is `{"id": …, "task": …, "source": …}`: a name of yours, a task's id, and a Python
program that defines `transform(grid)`. A row out is `{"id", "task", "results", "accuracy",
"filter"}`; results has `{"output": grid}` or `{"error": text}` for every input, demonstrations first
(docs/json.md). Rows come out in the order they went in, each as soon as it and those before it are
done.

Examples:

  soar-tui evaluate programs.jsonl --tasks sample > results.jsonl

  generate | soar-tui evaluate - --tasks arc1-train | jq -c 'select(.accuracy == 1) | .id'

  soar-tui evaluate programs.jsonl --tasks my_tasks/ --json --set sandbox.cpu=0.5"""

STDIN = "-"


def evaluate(
    programs: Annotated[
        str,
        typer.Argument(
            metavar="PROGRAMS.jsonl",
            help="A file with a JSON object on every line; - is stdin.",
            show_default=False,
        ),
    ],
    tasks: Annotated[
        str,
        typer.Option(
            "--tasks",
            metavar="DIR|NAME",
            help="The tasks that rows name: a set by name, a folder, a task file.",
            show_default=False,
        ),
    ],
    assignments: SetOption = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print rows on a terminal, too, where a line per program is usual."
        ),
    ] = False,
) -> int:
    """Run programs on every input of their tasks and print what they gave, a row for a row.

    Nothing a program does reaches this machine (docs/security.md), and the limits are those of a
    run: change them with --set sandbox.cpu=SECONDS, sandbox.memory_mb=N. A row that cannot be read
    ends it: a file is looked through before anything runs, on stdin what came before is printed.
    """
    import asyncio

    from engine.arc import load_tasks

    settings = settings_from(None, None, assignments or [], {})
    known = {task.id: task for task in load_tasks(tasks).tasks}
    name = "stdin" if programs == STDIN else programs
    descriptor = 0 if programs == STDIN else os.open(programs, os.O_RDONLY | os.O_CLOEXEC)
    seen: Counter[str] = Counter()
    try:
        rows = _Rows(descriptor, name, known, tasks)
        total = asyncio.run(rows.look_through())
        for_people = sys.stdout.isatty() and not as_json
        asyncio.run(_evaluate(rows, settings.sandbox, seen, total, for_people=for_people))
    except KeyboardInterrupt:
        terminal.err().print(f"Ctrl+C after {seen['programs']:,} programs")
        raise
    finally:
        if programs != STDIN:
            os.close(descriptor)
    return OK


class _Rows:
    """The programs of a descriptor, checked row by row; errors name the file, the line, the field."""

    def __init__(self, descriptor: int, name: str, tasks: dict[str, Task], spec: str) -> None:
        self._descriptor = descriptor
        self._name = name
        self.tasks = tasks
        self._spec = spec

    async def look_through(self) -> int | None:
        """Read a regular file once to see that every row is fine; returns how many there are.

        None for a pipe, which can only be read once. Raises InputError.
        """
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return None
        start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        number = 0
        async for programs in self.programs():
            number += len(programs)
        os.lseek(self._descriptor, start, os.SEEK_SET)
        return number

    async def programs(self) -> AsyncIterator[Sequence[GivenProgram]]:
        """Yield the programs as they come in. Raises InputError, after those before the bad row."""
        from soar_tui.cli.lines import read_lines

        async for lines in read_lines(self._descriptor, self._name):
            found: list[GivenProgram] = []
            refused: InputError | None = None
            for number, line in lines:
                try:
                    if line.strip():
                        found.append(self._program(number, line))
                except InputError as error:
                    refused = error
                    break
            if found:
                yield found
            if refused is not None:
                raise refused

    def _program(self, number: int, line: bytes) -> GivenProgram:
        from engine.control.evaluating import MAX_INPUTS, GivenProgram

        place = f"{self._name}, line {number}"
        try:
            row = msgspec.json.decode(line, type=ProgramDocument)
        except msgspec.ValidationError as error:
            raise InputError(f"{place}: {_broken_rule(str(error))}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{place}: not JSON: {error}") from error
        task = self.tasks.get(row.task)
        if task is None:
            raise InputError(f"{place}: task: no task {row.task!r} in {self._spec}")
        if len(task.inputs) > MAX_INPUTS:
            raise InputError(
                f"{place}: task: {row.task!r} has {len(task.inputs)} inputs, at most {MAX_INPUTS}"
            )
        return GivenProgram(row.id, task, row.source)


def _broken_rule(message: str) -> str:
    rule, _, field = message.partition(" - at `$.")
    text = rule[:1].lower() + rule[1:]
    return f"{field.rstrip('`')}: {text}" if field else text


async def _evaluate(
    rows: _Rows, config: SandboxConfig, seen: Counter[str], total: int | None, *, for_people: bool
) -> None:
    from engine.control.evaluating import SandboxError, evaluate_programs
    from soar_tui.cli.lines import write_all

    start = time.monotonic()

    async def deliver(judged: Sequence[tuple[GivenProgram, Evaluation]]) -> None:
        for program, evaluation in judged:
            text = _line(program, evaluation) if for_people else _row(program, evaluation)
            await write_all(sys.stdout.fileno(), text)
            seen["right"] += all(evaluation.right)
        seen["programs"] += len(judged)
        show(seen["programs"])

    with _progress(total) as show:
        try:
            status = await evaluate_programs(rows.programs(), len(rows.tasks), config, deliver)
        except SandboxError as error:
            raise OutcomeError(str(error)) from error
    if for_people:
        terminal.err().print(_summary(seen, status, time.monotonic() - start))


def _row(program: GivenProgram, evaluation: Evaluation) -> bytes:
    document = EvaluationDocument(
        id=program.id,
        task=program.task.id,
        results=[_result(result) for result in evaluation.results],
        accuracy=evaluation.accuracy,
        filter=evaluation.filter,
    )
    return msgspec.json.encode(document) + b"\n"


def _result(result: Result) -> EvaluatedGridDocument:
    from engine.arc import unpack

    if isinstance(result, bytes):
        return EvaluatedGridDocument(output=unpack(result).tolist())
    return EvaluatedGridDocument(error=f"{result.kind}: {result.text}")


def _line(program: GivenProgram, evaluation: Evaluation) -> bytes:
    """Return a program's line for people: right demonstrations, its filter or its first error."""
    right = f"{sum(evaluation.right)}/{len(evaluation.right)}"
    errors = [result for result in evaluation.results if not isinstance(result, bytes)]
    note: str = evaluation.filter or ""
    if errors:
        note = f"{errors[0].kind}: {errors[0].text}"
    mark = "✓" if evaluation.perfect else " "
    text = f"{mark} {right:>5}  {program.task.id}  {program.id}  {note}".rstrip()
    return (one_line(text) + "\n").encode("utf-8", "replace")


def _summary(seen: Counter[str], status: SandboxStatus, seconds: float) -> str:
    early = ", ".join(f"{number:,} {kind}" for kind, number in sorted(status.kills.items()))
    return (
        f"{seen['programs']:,} programs in {duration(seconds)}, "
        f"{rate(seen['programs'] / seconds)}: {seen['right']:,} right on every demonstration; "
        f"ended early: {early or 'none'}; sandbox {status.level}"
    )


@contextlib.contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], object]]:
    """Yield what shows how many programs are done, on a terminal that has nothing else to show."""
    console = terminal.err()
    if not console.is_terminal or console.is_dumb_terminal or sys.stdout.isatty():
        yield lambda done: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (TextColumn("evaluated"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
