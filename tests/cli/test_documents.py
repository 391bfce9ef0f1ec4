"""docs/json.md, the types in soar_tui/cli/documents and what the commands print are one contract."""

import re
import types
import typing

import msgspec
import pytest

from soar_tui.cli import documents
from soar_tui.cli.documents import care, files, runs, tasks
from tests.cli.program import ROOT, Ask, Searched, spawn

DOCUMENTS = {
    name.removesuffix("Document"): value
    for module in (documents, care, files, runs, tasks)
    for name, value in vars(module).items()
    if name.endswith("Document") and value is not documents.Document
}
D = typing.TypeVar("D", bound=documents.Document)
NAMES = {int: "int", float: "float", str: "string", bool: "bool", type(None): "null"}


def described() -> dict[str, dict[str, str]]:
    """Return the tables of docs/json.md: document, field, type."""
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {
        section.splitlines()[0]: dict(
            re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", section, flags=re.MULTILINE)
        )
        for section in sections
    }


def named(kind: object) -> str:
    if kind == documents.Rows:
        return "grid"
    if isinstance(kind, type) and kind in NAMES:
        return NAMES[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return f"list of {named(arguments[0])}"
    if origin is types.UnionType:
        return " or ".join(map(named, arguments))
    if origin is typing.Literal:
        return ", ".join(f'"{value}"' for value in arguments)
    assert isinstance(kind, type)
    return kind.__name__.removesuffix("Document")


def test_every_document_is_described() -> None:
    assert set(described()) == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_page_has_every_field_with_its_type(name: str) -> None:
    hints = typing.get_type_hints(DOCUMENTS[name])
    fields = {field: named(hints[field]) for field in DOCUMENTS[name].__struct_fields__}
    assert described()[name] == fields


def decoded(line: str, kind: type[D]) -> D:
    assert line.count("\n") == 1
    return msgspec.json.decode(line, type=kind, strict=True)


def test_run_prints_the_contract(searched: Searched) -> None:
    run = decoded(searched.said.out, runs.RunDocument)
    assert (run.run, run.state, run.tasks, run.known, run.finished) == (
        "three",
        "finished",
        3,
        3,
        3,
    )
    assert run.process is None
    (iteration,) = run.iterations
    assert (iteration.index, iteration.tasks, iteration.finished) == (0, 3, 3)
    assert iteration.candidates == run.candidates == sum(r.candidates for r in run.results)
    assert run.candidates <= 3 * (40 + 16)
    assert run.solved == sum(bool(result.solved) for result in run.results)
    assert run.oracle == sum(bool(result.oracle) for result in run.results)
    assert run.oracle is not None and run.solved is not None and run.oracle >= run.solved
    assert iteration.partial_credit is not None
    assert run.solved / 3 <= iteration.partial_credit <= 1
    assert run.seconds > 0


def test_status_prints_the_same(searched: Searched) -> None:
    status = decoded(spawn(searched.home, "status", "three", "--json").out, runs.RunDocument)
    run = decoded(searched.said.out, runs.RunDocument)
    assert msgspec.structs.replace(status, silent=None) == msgspec.structs.replace(run, silent=None)


def test_runs_prints_the_contract(searched: Searched) -> None:
    listed = decoded(spawn(searched.home, "runs", "--json").out, runs.RunsDocument)
    (row,) = [row for row in listed.runs if row.run == "three"]
    assert (row.state, row.tasks, row.finished, row.iteration) == ("finished", 3, 3, 1)
    assert listed.problems == []


def test_show_prints_the_contract(searched: Searched) -> None:
    run = decoded(searched.said.out, runs.RunDocument)
    for result in run.results:
        said = spawn(searched.home, "show", "three", result.task, "--json")
        task = decoded(said.out, tasks.ShowDocument)
        assert (task.run, task.task, task.solved) == ("three", result.task, result.solved)
        assert task.candidates == result.candidates
        assert [p.rank for p in task.patterns] == list(range(1, len(task.patterns) + 1))
        assert sum(pattern.share for pattern in task.patterns) == pytest.approx(1)
        assert task.submissions == [pattern.outputs for pattern in task.patterns[:2]]
        right = any(answer == [t.output for t in task.test] for answer in task.submissions)
        assert right == task.solved
        assert task.candidate is not None
        assert task.candidate.id == task.best[0].id == task.candidate.chain[-1].id
        share = sum(bool(given.right) for given in task.candidate.train) / len(task.train)
        assert task.candidate.accuracy == pytest.approx(share)


def test_tasks_print_the_contract(ask: Ask) -> None:
    sets = decoded(ask("tasks", "--json").out, tasks.TaskSetsDocument)
    assert {"sample", "arc1-train"} <= {named_set.name for named_set in sets.sets}
    listed = decoded(ask("tasks", "sample:5", "--json").out, tasks.TasksDocument)
    assert len(listed.tasks) == 5
    first = listed.tasks[0]
    said = ask("tasks", "sample", "--show", first.id, "--json")
    task = decoded(said.out, tasks.TaskDocument)
    assert (len(task.train), len(task.test)) == (first.pairs, first.tests)
    assert [[len(p.output), len(p.output[0])] for p in task.train] == first.output_shapes


def test_doctor_prints_the_contract(ask: Ask) -> None:
    said = ask("doctor", "--gpu", "--json")
    doctor = decoded(said.out, care.DoctorDocument)
    assert doctor.ok == (said.code == 0)
    assert doctor.ok != any(c.needed and c.state == "missing" for c in doctor.checks)
    assert {check.name for check in doctor.gpu} == {"query", "serve", "train", "reload"}


def test_an_error_prints_the_contract(ask: Ask) -> None:
    for arguments in (("show", "nothing", "task"), ("tasks", "nowhere"), ("status",), ("--bogus",)):
        said = ask(*arguments, "--json")
        error = decoded(said.err, documents.ErrorDocument)
        assert said.out == ""
        assert error.error
        assert error.exit_code == said.code == 2
