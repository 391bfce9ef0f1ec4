"""What `analyze` and `compare` print, what they refuse, and that a reader's JSON holds."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.analysis import analyse
from engine.archive.reader import RunReader
from engine.config import load_settings
from soar_tui.cli.documents.analysis import (
    AnalysisDocument,
    ComparisonDocument,
    SettingsComparisonDocument,
)
from soar_tui.sanitise import one_line
from tests.analysis import made
from tests.app.recorded import make_folder
from tests.cli.program import ROOT, Ask
from tests.exports.runs import HOSTILE, record_run, task


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with runs: two of the same tasks, one of unknown truth, one that repeats itself."""
    home = tmp_path_factory.mktemp("home")
    (home / "runs").mkdir()
    for seed, (name, changes, how) in enumerate(
        [
            ("base", {}, {}),
            ("tuned", {"search.c": 5.0}, {"voted": 10}),
            ("blind", {"iterations": 1}, {"known": False}),
            ("stuck", {"iterations": 1}, {"sources": 1}),
            ("begun", {"iterations": 1, "seed": 8}, {"voted": 0}),
        ]
    ):
        chosen = made.settings(**changes)
        asyncio.run(made.record(home / "runs" / name, chosen, seed=seed, **how))
    make_folder(home / "runs" / "fresh", made.settings(seed=9))
    return home


@pytest.fixture
def at_home(ask: Ask, home: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("SOAR_HOME", str(home))
    return ask


def test_json_holds_what_the_library_says(at_home: Ask, home: Path) -> None:
    said = at_home("analyze", "base", "--json")
    assert (said.code, said.err) == (0, "")
    document = msgspec.json.decode(said.out, type=AnalysisDocument, strict=True)
    folder = home / "runs" / "base"
    with RunReader(folder) as reader:
        expected = analyse("base", reader, load_settings(folder / "run.toml"))
    assert document.runs == [expected]
    assert document.pool is not None
    assert [(one.run, one.iteration) for one in document.pool.members] == [("base", 0), ("base", 1)]


def settings_of(home: Path, run: str) -> str:
    """Return the path of a run's settings file."""
    return str(home / "runs" / run / "run.toml")


def sections() -> dict[str, dict[str, str]]:
    """Return the tables of docs/analysis-json.md: section, field, type."""
    text = (ROOT / "docs" / "analysis-json.md").read_text(encoding="utf-8")
    found = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {
        one.splitlines()[0]: dict(
            re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", one, flags=re.MULTILINE)
        )
        for one in found
    }


def objects(value: Any, kind: str, page: dict[str, dict[str, str]]) -> set[str]:
    """Hold every object in `value` against its section, and return the sections met."""
    if isinstance(value, list):
        return {met for one in value for met in objects(one, kind, page)}
    if not isinstance(value, dict):
        return set()
    (section,) = re.findall(r"\[(\w+)\]\(#", kind) or [kind]
    assert list(value) == list(page[section]), section
    inside = [objects(value[field], page[section][field], page) for field in value]
    return {section}.union(*inside)


def test_json_has_exactly_the_fields_that_are_described(at_home: Ask, home: Path) -> None:
    page = sections()
    met: set[str] = set()
    for command, *runs in (
        ("analyze", "base", "tuned", "stuck"),
        ("analyze", "blind"),
        ("compare", "base", "tuned"),
    ):
        said = json.loads(at_home(command, *runs, "--json").out)
        met |= objects(said, f"What `{command}` prints", page)
    said = json.loads(at_home("compare", "base", settings_of(home, "tuned"), "--json").out)
    met |= objects(said, "What `compare` prints of settings alone", page)
    assert met == set(page)


def test_tables_hold_the_figures_of_the_json(at_home: Ask) -> None:
    document = msgspec.json.decode(at_home("analyze", "base", "--json").out, type=AnalysisDocument)
    said = at_home("analyze", "base")
    assert said.code == 0
    for name in ("solved per iteration", "pass@k", "vote formulas", "calibration", "pooled"):
        assert name in said.out
    table = said.out.split("solved per iteration")[1].split("\n\n")[0].splitlines()
    for row in document.runs[0].iterations:
        assert row.solved is not None
        (line,) = [line for line in table if line.split()[:1] == [str(row.index + 1)]]
        assert f"{row.tasks} of {row.planned}" in line
        assert f"{100 * row.solved.value:.0f} %" in line
        assert f"[{100 * row.solved.low:.0f}-{100 * row.solved.high:.0f}]" in line


def test_only_the_figures_asked_for(at_home: Ask) -> None:
    said = at_home("analyze", "base", "--figure", "hardest", "--figure", "near")
    titles = [line for line in said.out.splitlines() if line.endswith("  base")]
    assert titles == ["hardest tasks  base", "near misses  base"]


def test_several_runs_are_pooled_and_ranged_by_size(at_home: Ask) -> None:
    said = at_home("analyze", "base", "tuned", "--json")
    document = msgspec.json.decode(said.out, type=AnalysisDocument)
    assert [run.run for run in document.runs] == ["base", "tuned"]
    assert document.pool is not None
    assert document.pool.tasks == 10
    assert [point.run for point in document.scaling] == ["base", "tuned"]
    assert "model size" in at_home("analyze", "base", "tuned").out


def test_each_iteration_that_is_asked_for_is_told(at_home: Ask) -> None:
    both = at_home("analyze", "base:1", "base:2")
    assert both.code == 0
    alone = [at_home("analyze", f"base:{place}") for place in (1, 2)]
    for said in alone:
        for part in said.out.split("\n\n"):
            assert part in both.out
    # Of the whole run every figure is the same for each of its iterations.
    for name, count in (("solved per iteration", 1), ("lost tasks", 1), ("pass@k", 2)):
        assert both.out.splitlines().count(f"{name}  base") == count
    said = at_home("analyze", "base:1", "tuned:2", "base:2", "--figure", "pass@k").out
    titles = [line for line in said.splitlines() if line.startswith("pass@k  ")]
    assert titles == ["pass@k  base", "pass@k  tuned", "pass@k  base"]
    document = at_home("analyze", "base:1", "base:2", "--json").document
    assert [run["run"] for run in document["runs"]] == ["base"]


def test_model_size_is_told_of_the_iteration_that_is_asked_for(at_home: Ask) -> None:
    document = at_home("analyze", "base:1", "tuned", "--json").document
    assert [(one["run"], one["iteration"]) for one in document["scaling"]] == [
        ("base", 0), ("tuned", 1)
    ]  # fmt: skip
    whole = document["runs"][0]["iterations"][0]
    assert document["scaling"][0]["solved"] == whole["solved"]


def test_runs_of_one_name_are_told_apart_by_their_folders(
    at_home: Ask, home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "box" / "base"
    shutil.copytree(home / "runs" / "tuned", other)
    sides = ("base", str(other))
    document = at_home("analyze", *sides, "--json").document
    assert [run["run"] for run in document["runs"]] == ["runs/base", "box/base"]
    compared = at_home("compare", *sides, "--json").document["comparison"]
    assert [side["label"] for side in compared["sides"]] == ["runs/base:2", "box/base:2"]
    assert compared["tests"][0]["first"] != compared["tests"][0]["second"]
    out = tmp_path / "both.html"
    assert at_home("export", "report", *sides, "--out", str(out)).code == 0
    assert "box/base" in out.read_text()


def test_unknown_truth_is_null_and_never_nothing_solved(at_home: Ask) -> None:
    said = at_home("analyze", "blind", "--json")
    (run,) = msgspec.json.decode(said.out, type=AnalysisDocument).runs
    (row,) = run.iterations
    assert (row.tasks, row.known, row.solved, row.oracle, row.credit) == (12, 0, None, None, None)
    assert row.pass_at_k == row.budget == row.formulas == ()
    assert row.calibration is None
    assert row.spending.per_solved is None
    assert [group.group for group in row.diversity] == ["all"]
    printed = at_home("analyze", "blind")
    assert printed.code == 0
    assert "the truth of these tasks is unknown" in printed.out


def test_compare_counts_shared_tasks_and_names_what_changed(at_home: Ask) -> None:
    said = at_home("compare", "base", "tuned", "--json")
    assert (said.code, said.err) == (0, "")
    found = msgspec.json.decode(said.out, type=ComparisonDocument, strict=True).comparison
    assert [side.label for side in found.sides] == ["base:2", "tuned:2"]
    assert (len(found.tasks), found.left_out) == (10, 2)
    assert [(one.field, one.values) for one in found.settings] == [("search.c", ("20.0", "5.0"))]
    printed = at_home("compare", "base", "tuned").out
    for name in ("side by side", "McNemar's test", "task by task", "changed settings"):
        assert name in printed
    assert f"{found.tests[0].p_value:.4f}" in printed


def test_what_hostile_runs_are_called_reaches_no_terminal(
    at_home: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOAR_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    names = ("one\x1b[31m", "two\u202e[bold]")
    for name in names:
        record_run(tmp_path / "runs" / name, [task("a"), task(f"\x1b[2J{HOSTILE}")], iterations=1)
    for command in (("analyze", names[0]), ("analyze", *names), ("compare", *names)):
        said = at_home(*command)
        assert said.code == 0, said.err
        for line in said.out.splitlines():
            assert line == one_line(line)
        assert "one\\x1b[31m" in said.out
        assert "<script>alert('\\x1b[31m\\ud800')</script>" in said.out
        # UTF-8 cannot hold a lone surrogate.
        assert "<script>alert('\\u001b[31m?')</script>" in at_home(*command, "--json").out


def test_iterations_of_one_run_are_compared(at_home: Ask) -> None:
    said = at_home("compare", "base:1", "base:2", "--json")
    found = msgspec.json.decode(said.out, type=ComparisonDocument).comparison
    assert [(side.run, side.iteration) for side in found.sides] == [("base", 0), ("base", 1)]
    assert found.settings == ()


def test_settings_files_are_compared_field_by_field(
    at_home: Ask, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text("seed = 3\n[search]\nsamples = 40\n", encoding="utf-8")
    Path("large").write_text("seed = 3\n[search]\nsamples = 900\n", encoding="utf-8")
    said = at_home("compare", "small.toml", "large", "--json")
    assert (said.code, said.err) == (0, "")
    found = msgspec.json.decode(said.out, type=SettingsComparisonDocument, strict=True)
    assert found.sides == ["small.toml", "large"]
    assert [(one.field, one.values) for one in found.settings] == [
        ("search.samples", ("40", "900"))
    ]
    printed = at_home("compare", "small.toml", "large")
    assert printed.code == 0
    assert "only settings are compared" in printed.out
    (row,) = [line for line in printed.out.splitlines() if line.startswith("search.")]
    assert row.split() == ["search.samples", "40", "900"]
    same = at_home("compare", "small.toml", "small.toml")
    assert (same.code, "they have the same settings" in same.out) == (0, True)


def test_a_run_lies_beside_settings_files(at_home: Ask, home: Path) -> None:
    said = at_home("compare", "base", settings_of(home, "tuned"), "blind", "--json")
    found = msgspec.json.decode(said.out, type=SettingsComparisonDocument)
    assert found.sides == ["base", settings_of(home, "tuned"), "blind"]
    assert [(one.field, one.values) for one in found.settings] == [
        ("iterations", ("2", "2", "1")),
        ("search.c", ("20.0", "5.0", "20.0")),
    ]


@pytest.mark.parametrize(
    ("runs", "reason", "changes"),
    [
        (("base", "fresh"), "no task of fresh has been voted on yet", [("seed", ("0", "9"))]),
        (
            ("begun", "base:1"),
            "no task of begun has been voted on yet",
            [("seed", ("8", "0")), ("iterations", ("1", "2"))],
        ),
        (
            ("fresh", "begun", "fresh"),
            "no task of fresh has been voted on yet",
            [("seed", ("9", "8", "9")), ("iterations", ("2", "1", "2"))],
        ),
        (
            ("base", "blind"),
            "base:2 and blind:1 share no task of known truth that all of them have voted on",
            [("iterations", ("2", "1"))],
        ),
    ],
)
def test_runs_without_results_in_common_are_compared_by_their_settings(
    at_home: Ask,
    runs: tuple[str, ...],
    reason: str,
    changes: list[tuple[str, tuple[str | None, ...]]],
) -> None:
    said = at_home("compare", *runs, "--json")
    assert (said.code, said.err) == (0, "")
    found = msgspec.json.decode(said.out, type=SettingsComparisonDocument, strict=True)
    assert found.sides == [run.partition(":")[0] for run in runs]
    assert found.why == f"Results cannot be compared: {reason}. Only settings are."
    assert [(one.field, one.values) for one in found.settings] == changes
    printed = at_home("compare", *runs)
    assert printed.code == 0
    assert found.why in " ".join(printed.out.split())
    assert "side by side" not in printed.out
    for field, values in changes:
        assert [field, *values] in [line.split() for line in printed.out.splitlines()]
    refused = at_home("compare", *runs, "--figure", "McNemar")
    assert (refused.code, refused.out) == (2, "")


def test_a_settings_file_that_cannot_be_used_is_refused(
    at_home: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd.toml").write_text("[search]\nsamples = -1\n", encoding="utf-8")
    Path("broken").write_text("samples = [\n", encoding="utf-8")
    for name, reason in (
        ("odd.toml", "odd.toml: search.samples: "),
        ("missing.toml", "missing.toml: No such file"),
        ("broken", "broken: not TOML"),
        ("nothing", "no run 'nothing'"),
    ):
        answer = at_home("compare", "base", name, "--json")
        assert (answer.code, answer.out) == (2, "")
        assert reason in msgspec.json.decode(answer.err)["error"]
    answer = at_home("compare", "base:1", "odd.toml")
    assert (answer.code, answer.out) == (2, "")


def test_a_run_is_meant_where_a_file_has_its_name(
    at_home: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base").write_text("no settings", encoding="utf-8")
    assert "McNemar's test" in at_home("compare", "base", "tuned").out


def test_a_figure_that_is_not_there_is_refused_with_those_that_are(
    at_home: Ask, home: Path
) -> None:
    files = (settings_of(home, "base"), settings_of(home, "tuned"))
    for command, there in (
        (("analyze", "base"), "pooled"),
        (("compare", "base", "tuned"), "pooled"),
        (("compare", *files), "changed settings"),
    ):
        said = at_home(*command, "--figure", "nonsense")
        assert (said.code, said.out) == (2, "")
        assert there in said.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "base"), "two runs"),
        (("compare", "base", "begun:1"), "iterations with votes: none yet"),
        (("analyze", "base:7"), "iterations with votes: 1, 2"),
        (("analyze", "nothing"), "no run"),
        (("analyze", "nothing:1"), "no run"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(
    at_home: Ask, arguments: tuple[str, ...], said: str
) -> None:
    answer = at_home(*arguments, "--json")
    assert (answer.code, answer.out) == (2, "")
    assert said in msgspec.json.decode(answer.err)["error"]
