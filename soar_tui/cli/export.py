"""`soar-tui export submission`: a run's answers in Kaggle's format."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias

from soar_tui.cli import terminal
from soar_tui.cli.answers import SUBMITTED, ranked_patterns, searched_iterations
from soar_tui.cli.errors import OK, InputError
from soar_tui.cli.options import ForceOption, JsonOption, OutOption, RunArgument
from soar_tui.cli.progress import counting

if TYPE_CHECKING:
    from engine.arc import Task
    from engine.archive.reader import RunReader
    from engine.config import Settings

EPILOG = """Examples:

  soar-tui export submission last --out submission.json

  soar-tui export submission last --out - | head -c 300"""

PLACEHOLDER = [[0]]
"""The grid that stands where a task has no answer: Kaggle wants one for every test input."""

Answer: TypeAlias = list[dict[str, list[list[int]]]]
"""One task's two attempts for each of its test inputs, in Kaggle's form."""


def submission(
    run: RunArgument,
    out: OutOption,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Write the two submissions of every task as Kaggle's submission.json.

    They are those of the last iteration that searched the task, while it is searched those that
    lead so far. A task without any answer gets a placeholder; how many do is said.
    """
    from engine.archive.reader import RunReader
    from engine.config import load_settings
    from engine.control import SETTINGS_NAME, find_run
    from engine.exports.output import new_file
    from soar_tui.cli.documents.files import ExportDocument

    to_stdout = str(out) == "-"
    if to_stdout and as_json:
        raise InputError("--out - and --json both want stdout: write the submission to a file")
    folder = find_run(run)
    settings = load_settings(folder / SETTINGS_NAME)
    tests, missing = 0, list[str]()
    with ExitStack() as stack:
        reader = stack.enter_context(RunReader(folder))
        first, tasks = _targets(reader)
        searched = searched_iterations(reader)
        file = sys.stdout.buffer if to_stdout else stack.enter_context(new_file(out, force=force))
        show = stack.enter_context(counting("tasks", len(tasks), as_json=as_json))
        file.write(b"{")
        for done, (index, task) in enumerate(enumerate(tasks, first)):
            show(done)
            answer = _answer(reader, index, searched[index], settings)
            if not answer:
                missing.append(task.id)
                answer = [_attempts(PLACEHOLDER, PLACEHOLDER) for _ in task.test]
            tests += len(answer)
            entry = json.dumps({task.id: answer}, separators=(",", ":"))[1:-1]
            file.write(f"{',' if done else ''}{entry}".encode())
        file.write(b"}\n")
        file.flush()
    if as_json:
        terminal.emit(
            ExportDocument(
                run=folder.name,
                path=str(out.resolve()),
                tasks=len(tasks),
                test_inputs=tests,
                placeholders=missing,
            )
        )
    else:
        gaps = f"; {len(missing)} without any answer hold a placeholder" if missing else ""
        where = "stdout" if to_stdout else str(out)
        terminal.err().print(f"{where}: {len(tasks)} tasks, {tests} test inputs{gaps}")
    return OK


def _targets(reader: RunReader) -> tuple[int, tuple[Task, ...]]:
    """Return the run's target tasks and the index of their first; tasks to learn from are none."""
    tasks, training = reader.tasks(), reader.training_tasks()
    first = training if training < len(tasks) else 0
    return first, tasks[first:]


def _answer(reader: RunReader, task: int, iterations: list[int], settings: Settings) -> Answer:
    """Return a task's answer, empty when no program gave an output for all its test inputs."""
    from engine.arc import unpack

    for iteration in iterations:
        _, patterns = ranked_patterns(reader, iteration, task, settings.vote)
        if patterns:
            submitted = [
                [unpack(output).tolist() for output in pattern.outputs]
                for pattern in patterns[:SUBMITTED]
            ]
            # Where all programs agree there is no second answer; Kaggle still wants one.
            return [_attempts(*pair) for pair in zip(submitted[0], submitted[-1], strict=True)]
    return []


def _attempts(first: list[list[int]], second: list[list[int]]) -> dict[str, list[list[int]]]:
    return {"attempt_1": first, "attempt_2": second}
