"""Pictures and the report: what is drawn is what the archive holds, and nothing hostile gets through."""

import asyncio
import html
import io
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.analysis import (
    Comparison,
    ComparisonError,
    NamedSettings,
    Pool,
    ReadRun,
    RunRecords,
    analyse,
    compare_runs,
    members_of,
    pool,
    read_records,
    run_analysis,
    scaling,
    setting_changes,
)
from engine.arc.palette import PALETTE
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, load_settings, override
from engine.exports.drawing import CELL, Cells, grid_paths, layout, png, svg
from engine.exports.picture import candidate_picture, chain_picture, task_picture
from engine.exports.report.charts import Chart, chart
from engine.exports.report.page import Reported, write_report
from engine.exports.text import markup, shown
from engine.figures.comparison import (
    SETTINGS_ONLY,
    changed_settings,
    comparison_figures,
    model_sizes,
    pooled,
)
from engine.figures.figure import Figure, Line
from engine.figures.run import run_figures
from tests.analysis import made
from tests.arc.drawn import grids
from tests.archive.drawn import texts
from tests.exports.runs import HOSTILE, RIGHT, record_run, task

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "two"
    return record_run(folder, [task("a"), task("b", known=False), task("<i>c</i>")])


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    file = io.BytesIO()
    with RunReader(run) as reader:
        steps: list[tuple[int, int]] = []
        settings = load_settings(run / "run.toml")
        told = [Reported("two", reader, settings)]
        count = write_report(told, file, lambda *s: steps.append(s))
    assert count == 3
    assert steps[-1][0] == steps[-1][1]
    return file.getvalue().decode()


def cells_of(paths: list[str], shape: tuple[int, int]) -> np.ndarray:
    """Read a grid back from its SVG paths."""
    grid = np.full(shape, 255)
    for path in paths:
        colour = re.search(r'fill="(#\w+)" d="(M[^"]*z)"', path)
        if colour is not None and colour[1] in PALETTE:
            for column, row, width in re.findall(r"M(\d+) (\d+)h(\d+)v1H\d+z", colour[2]):
                place = slice(int(column), int(column) + int(width))
                assert (grid[int(row), place] == 255).all()
                grid[int(row), place] = PALETTE.index(colour[1])
    return grid


@given(grids(30))
def test_a_grid_is_drawn_cell_by_cell(grid: np.ndarray) -> None:
    assert (cells_of(list(grid_paths(grid)), grid.shape) == grid).all()


@given(texts)
def test_text_that_is_shown_is_harmless_and_whole(text: str) -> None:
    out = shown(text)
    assert not [char for char in out if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl")]
    assert shown(out) == out
    assert ET.fromstring(f"<a>{markup(text)}</a>").text in (out, None)


def test_wrong_cells_are_marked_where_they_are(run: Path) -> None:
    with RunReader(run) as reader:
        drawn = candidate_picture(reader.task(0), reader.candidate(0).candidate)
        whole = chain_picture(
            reader.task(0), [reader.candidate(row.id).candidate for row in reader.chain(4)]
        )
    # It returns its input: of [[1 2 0] [3 0 4]] mirrored the middle column is right.
    first = drawn.strips[0].panels[2]
    assert first.wrong is not None
    assert first.wrong.tolist() == [[True, False, True], [True, False, True]]
    assert first.caption == "4 cells wrong"
    assert [strip.heading for strip in whole.strips] == [
        "expected",
        "1. sampled, 0 of 3 demonstrations right, filter identity",
        "2. refined, 3 of 3 demonstrations right",
    ]
    assert [panel.caption for panel in whole.strips[2].panels] == ["right"] * 4


def test_svg_and_png_show_the_same_picture() -> None:
    picture = task_picture(task("a"))
    width, height, shapes = layout(picture)
    root = ET.fromstring(svg(picture))
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    assert next(root.iter(f"{SVG}text")).text == "task a"
    image = Image.open(io.BytesIO(png(picture, 3)))
    assert image.size == (3 * width, 3 * height)
    grids_ = [shape for shape in shapes if isinstance(shape, Cells)]
    assert len(grids_) == 8
    for shape in grids_:
        for (row, column), cell in np.ndenumerate(shape.grid):
            x, y = shape.x + column * CELL + CELL // 2, shape.y + row * CELL + CELL // 2
            colour = "#{:02x}{:02x}{:02x}".format(*image.getpixel((3 * x, 3 * y)))
            assert colour == PALETTE[cell]


class _Seen(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, its text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "path", "rect", "circle", "polygon"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def harmless(page: str) -> _Seen:
    """Hold that a page has no script and nothing to load, and return what is in it."""
    seen = _Seen()
    seen.feed(page)
    assert seen.open == []
    tags = {tag for tag, _ in seen.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "img", "form", "base", "use"}
    for tag, attributes in seen.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert set(attributes) & {"src", "srcset", "action", "data"} == set()
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    identifiers = {attributes["id"] for _, attributes in seen.tags if "id" in attributes}
    assert links_of(seen) == identifiers
    assert "\x1b" not in page
    return seen


def links_of(seen: _Seen) -> set[str | None]:
    return {(attributes["href"] or "")[1:] for tag, attributes in seen.tags if tag == "a"}


def test_the_report_is_one_page_without_scripts_or_anything_to_load(page: str) -> None:
    seen = harmless(page)
    assert links_of(seen) == {"t0", "t1", "t2"}
    assert "<script>alert('\\x1b[31m\\ud800')</script>" in " ".join(seen.text)


def test_the_report_says_what_the_analysis_says(run: Path, page: str) -> None:
    with RunReader(run) as reader:
        analysis = analyse("two", reader, load_settings(run / "run.toml"))
    seen = _Seen()
    seen.feed(page)
    text = " ".join("".join(seen.text).split())
    for row in analysis.iterations:
        assert row.solved is not None
        shown = f"{row.tasks} of {row.planned}{row.solved_tasks}{100 * row.solved.value:.0f} % ["
        assert shown in text
    assert "2 solved · 1 not known" in text
    assert "def transform(grid): return [row[::-1] for row in grid]" in text
    assert page.count("Solved per iteration</figcaption>") == 1


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs that differ in what they solve and in a setting; the second has fewer votes."""
    home = tmp_path_factory.mktemp("sides")
    asyncio.run(made.record(home / "base", made.settings(), seed=0))
    tuned = made.settings(**{"search.c": 5.0})
    asyncio.run(made.record(home / "tuned", tuned, seed=1, voted=10))
    return home / "base", home / "tuned"


def opened(stack: ExitStack, *runs: tuple[str, Path, int | None]) -> list[Reported]:
    return [
        Reported(name, stack.enter_context(RunReader(at)), load_settings(at / "run.toml"), place)
        for name, at, place in runs
    ]


def report_of(*runs: tuple[str, Path, int | None], files: Sequence[NamedSettings] = ()) -> str:
    file = io.BytesIO()
    with ExitStack() as stack:
        write_report(opened(stack, *runs), file, lambda *_: None, files)
    return file.getvalue().decode()


def read_run(run: Reported) -> ReadRun:
    records = RunRecords()
    list(read_records(run.reader, run.settings, records))
    analysis = run_analysis(run.name, run.reader, run.settings, records)
    return ReadRun(run.name, run.settings, run.reader, records, analysis, run.iteration)


def compared(*runs: tuple[str, Path, int | None]) -> Comparison:
    with ExitStack() as stack:
        return compare_runs([read_run(run) for run in opened(stack, *runs)])


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of every table's row, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in cells]


def told(figure: Figure, page: str) -> None:
    """Hold that a page has a figure whole: its words, every cell of its table, its curves."""
    name = figure.name[:1].upper() + figure.name[1:]
    own = page.partition(f"<h2>{markup(name)}</h2>")[2].partition("<h2>")[0]
    for text in (figure.about, *figure.warnings):
        assert f">{markup(text)}</p>" in own
    if not figure.rows:
        assert f"<p>{markup(figure.empty)}</p>" in own
        return
    head, *rows = rows_of(own)
    assert head == [shown(heading.title) for heading in figure.headings]
    expected = [list(map(shown, row)) for row in figure.rows]
    assert [row for row in rows if row != head] == expected
    links = [html.unescape(text) for text in re.findall(r'<a href="#t\d+">(.*?)</a>', own)]
    assert links == [row[0] for row in expected if figure.headings[0].tasks]
    curves = [line for line in figure.lines if line.points]
    drawn = any(len(line.points) > 1 for line in curves)
    assert own.count('class="line ') == (len(curves) if drawn else 0)
    bands = sum(len(line.bounds) > 1 for line in curves)
    assert own.count('class="band ') == bands


def test_runs_side_by_side_are_told_ahead(sides: tuple[Path, Path]) -> None:
    runs = ("base", sides[0], None), ("tuned", sides[1], None)
    page = report_of(*runs)
    harmless(page)
    assert "<title>base:2 · tuned:2</title>" in page
    beside = page.partition("<h1>base</h1>")[0]
    for figure in comparison_figures(compared(*runs)):
        told(figure, beside)


@pytest.mark.parametrize("iteration", [None, 0])
def test_a_run_is_told_in_full(sides: tuple[Path, Path], iteration: int | None) -> None:
    given = ("base", sides[0], iteration)
    page = report_of(given)
    with RunReader(sides[0]) as reader:
        run = analyse("base", reader, load_settings(sides[0] / "run.toml"))
    figures = run_figures(run, iteration)
    assert len(figures) == 12
    for figure in figures:
        told(figure, page)
    assert page.count('<figure class="chart">') == 8


def test_the_newest_curves_of_many_are_drawn_and_the_others_counted(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "long", [task("a")], iterations=1)

    async def learn() -> None:
        writer = ArchiveWriter(folder)
        writer.put_tasks([task("a")])
        for iteration in range(1, 12):
            for step in range(2):
                writer.put_metric(f"loss/{iteration}", step, 1.0 - step / 2)
        await writer.close()

    asyncio.run(learn())
    page = report_of(("long", folder, None))
    part = page.partition("<h2>Metrics</h2>")[2].partition("</figure>")[0]
    assert "<figcaption>loss (the first 7 left out)</figcaption>" in part
    assert re.findall(r'<text class="c\d"[^>]*>(\d+)</text>', part) == ["7", "8", "9", "10", "11"]


def test_a_run_whose_truth_is_unknown_is_told_too(tmp_path: Path) -> None:
    asyncio.run(made.record(tmp_path / "blind", made.settings(), seed=2, known=False))
    page = report_of(("blind", tmp_path / "blind", None))
    with RunReader(tmp_path / "blind") as reader:
        run = analyse("blind", reader, load_settings(tmp_path / "blind" / "run.toml"))
    for figure in run_figures(run):
        told(figure, page)


def pool_of(*runs: tuple[str, Path, int | None]) -> Pool:
    with ExitStack() as stack:
        read = [read_run(run) for run in opened(stack, *runs)]
        *_, (_, _, found) = pool(members_of(read), read[0].settings.vote)
    assert found is not None
    return found


def test_what_runs_solve_together_is_told_with_what_each_adds(sides: tuple[Path, Path]) -> None:
    alone, several = (
        [("base", sides[0], None)],
        [
            ("base", sides[0], None),
            ("tuned", sides[1], None),
        ],
    )
    for runs in (alone, several):
        page = report_of(*runs)
        found = pool_of(*runs)
        told(pooled(found), page)
    assert "<h2>Model size</h2>" in page.partition("<h1>base</h1>")[0]
    with ExitStack() as stack:
        points = scaling([read_run(run) for run in opened(stack, *several)])
    told(model_sizes(points), page)
    assert "<h2>Model size</h2>" not in report_of(*alone)


def test_progress_has_its_whole_from_the_first_step(sides: tuple[Path, Path]) -> None:
    steps: list[tuple[int, int]] = []
    with ExitStack() as stack:
        runs = opened(stack, ("base", sides[0], None), ("tuned", sides[1], None))
        write_report(runs, io.BytesIO(), lambda *step: steps.append(step))
    # 24 and 22 searches to read, 12 tasks to vote on together, 12 to write.
    assert {whole for _, whole in steps} == {70}
    assert steps == sorted(steps)
    assert steps[-1] == (70, 70)


def test_every_shared_task_is_marked_on_every_side(sides: tuple[Path, Path]) -> None:
    runs = ("base", sides[0], None), ("tuned", sides[1], None)
    beside = report_of(*runs).partition("<h1>base</h1>")[0]
    found = compared(*runs)
    marks = {
        task.task: [
            "✓" if solved else "○" if right else "·"
            for solved, right in zip(task.solved, task.oracle, strict=True)
        ]
        for task in found.tasks
    }
    shown = [row for row in rows_of(beside) if row[0] in marks]
    assert {name: cells for name, *cells in shown} == marks
    assert len(shown) == len(marks) == 10
    differ = [task.task for task in found.tasks if len(set(task.solved)) > 1]
    in_sight = rows_of(beside.partition("<details>")[0])
    assert [row[0] for row in in_sight if row[0] in marks] == differ


def test_model_size_is_told_of_the_iterations_that_are_compared(sides: tuple[Path, Path]) -> None:
    page = report_of(("base", sides[0], 0), ("tuned", sides[1], 0))
    part = page.partition("<h2>Model size</h2>")[2].partition("</table>")[0]
    assert [row[0] for row in rows_of(part)] == ["run", "base:1", "tuned:1"]


def test_iterations_of_one_run_are_laid_side_by_side(sides: tuple[Path, Path]) -> None:
    page = report_of(("base", sides[0], 0), ("base", sides[0], 1))
    assert "<h1>base:1 · base:2</h1>" in page
    assert "they have the same settings" in page
    assert page.count('<details class="task">') == 12


def changed_rows(page: str) -> list[list[str]]:
    """Return the table of the changed settings, headings first."""
    part = page.partition("<h2>Changed settings</h2>")[2].partition("</table>")[0]
    return rows_of(part)


def test_settings_files_are_further_columns_of_what_changed(sides: tuple[Path, Path]) -> None:
    plan = NamedSettings("<i>plan.toml", override(made.settings(), {"search.samples": 600}))
    runs = ("base", sides[0], None), ("tuned", sides[1], None)
    page = report_of(*runs, files=[plan])
    beside = page.partition("<h1>base</h1>")[0]
    assert "<h2>Side by side</h2>" in beside
    assert "what a file leaves out has its default" in " ".join(harmless(page).text)
    assert changed_rows(beside) == [
        ["setting", "base", "tuned", "<i>plan.toml"],
        ["search.samples", "100", "100", "600"],
        ["search.c", "20.0", "5.0", "20.0"],
    ]


def test_of_one_run_beside_a_file_only_the_changed_settings_are_ahead(
    sides: tuple[Path, Path],
) -> None:
    plan = NamedSettings("plan.toml", override(made.settings(), {"seed": 7}))
    page = report_of(("base", sides[0], None), files=[plan])
    beside, _, own = page.partition("<h1>base</h1>")
    assert "<title>base · plan.toml</title>" in beside
    changes = setting_changes([load_settings(sides[0] / "run.toml"), plan.settings])
    told(changed_settings(["base", "plan.toml"], changes, SETTINGS_ONLY), beside)
    assert changed_rows(beside) == [["setting", "base", "plan.toml"], ["seed", "0", "7"]]
    assert beside.count("<h2>") == 1
    alone = report_of(("base", sides[0], None))
    assert own == alone.partition("<h1>base</h1>")[2]


def test_a_warning_has_its_name(tmp_path: Path) -> None:
    asyncio.run(made.record(tmp_path / "stuck", made.settings(iterations=1), seed=3, sources=1))
    page = report_of(("stuck", tmp_path / "stuck", None))
    assert '<p class="bad">repeated programs: iteration 1: ' in page


def test_what_hostile_runs_say_is_harmless_side_by_side(tmp_path: Path) -> None:
    tasks = [task("a"), task("<i>c</i>")]
    strange = Settings(iterations=1, tasks="<script>alert(1)</script>")
    one = record_run(tmp_path / "one", tasks, iterations=1)
    two = record_run(tmp_path / "two", tasks, iterations=1, settings=strange)
    runs = (HOSTILE, one, None), ("<b>", two, None)
    page = report_of(*runs)
    assert "<script>alert('\\x1b[31m\\ud800')</script>:1 · <b>:1" in harmless(page).text
    for figure in comparison_figures(compared(*runs)):
        told(figure, page)
    with RunReader(one) as reader:
        for figure in run_figures(analyse(HOSTILE, reader, load_settings(one / "run.toml"))):
            told(figure, page)


def test_runs_with_nothing_in_common_are_refused_before_anything_is_written(
    sides: tuple[Path, Path], run: Path
) -> None:
    file = io.BytesIO()
    with RunReader(sides[0]) as first, RunReader(run) as second:
        told = [Reported("base", first, Settings()), Reported("two", second, Settings())]
        with pytest.raises(ComparisonError, match="share no task"):
            write_report(told, file, lambda *_: None)
        told = [Reported("base", first, Settings()), Reported("base", first, Settings(), 7)]
        with pytest.raises(ComparisonError, match="no task of base:8 has been voted on"):
            write_report(told, file, lambda *_: None)
    assert file.getvalue() == b""


def test_a_run_that_has_hardly_begun_has_a_report_too(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    (folder / "run.toml").write_text((run / "run.toml").read_text())

    async def begin() -> None:
        writer = ArchiveWriter(folder)
        writer.put_tasks([task("a", known=False)])
        writer.begin_iteration(0, "test", "grammar", "untrained")
        await writer.close()

    asyncio.run(begin())
    file = io.BytesIO()
    with RunReader(folder) as reader:
        settings = load_settings(folder / "run.toml")
        told = [Reported("begun", reader, settings)]
        assert write_report(told, file, lambda *_: None) == 1
    assert b"not searched" in file.getvalue()


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats()), max_size=8), st.booleans(), st.booleans()
)
def test_a_chart_stays_inside_its_frame(
    points: list[tuple[float, float]], share: bool, log: bool
) -> None:
    if share:
        points = [(x, y) for x, y in points if 0 <= y <= 1]
    drawn = chart(Chart("t", "x", (Line("c", tuple(sorted(points))),), share=share, log=log))
    if not drawn:
        return
    root = ET.fromstring(drawn)
    for circle in root.iter("circle"):
        assert 40 <= float(circle.get("cx")) <= 460
        assert 0 <= float(circle.get("cy")) <= 240


def test_large_numbers_along_a_chart_are_short() -> None:
    points = ((1e8, 0.2), (8e9, 0.3), (7e10, 0.4))
    drawn = chart(Chart("model size", "parameters", (Line("solved", points),), share=True))
    root = ET.fromstring(drawn)
    ticks = [text.text for text in root.iter("text") if text.get("class") == "tick mid"]
    assert ticks == ["20G", "40G", "60G", "parameters"]


def test_names_without_room_beside_their_curves_are_numbered_beneath() -> None:
    names = ("2026-11-20-arc1-grammar:2", "<b>")
    points = ((1.0, 0.2), (2.0, 0.4))
    drawn = chart(Chart("t", "x", tuple(Line(name, points) for name in names), share=True))
    root = ET.fromstring(drawn)
    beside = [text.text for text in root.iter("text") if "tick" not in (text.get("class") or "")]
    assert beside == ["1", "2"]
    assert root.findtext("p") == "1 2026-11-20-arc1-grammar:2 · 2 <b>"


def test_the_program_shown_is_the_right_one(page: str) -> None:
    assert page.count(markup(RIGHT, lines=True)) == 3
