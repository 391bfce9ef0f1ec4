"""Properties of what is drawn without an app: strips, braille, posteriors, sources, chains."""

import math
import unicodedata
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from soar_tui.widgets.arm_table import Arm, arranged, draw_arm
from soar_tui.widgets.braille import area_dots, codes, line_dots, text
from soar_tui.widgets.chain_tree import ChainNode, descent, draw_node, tree_lines
from soar_tui.widgets.curve import Axes, Series, draw_curves
from soar_tui.widgets.posterior_strip import DRAW, density, posterior
from soar_tui.widgets.python_source import LONGEST, diff_lines, source_lines
from soar_tui.widgets.sparkline import sparkline
from soar_tui.widgets.stepper import Step, draw_steps
from soar_tui.widgets.strips import changed_span, cut, fit, lay_over, left, right
from soar_tui.widgets.vote_bars import Pattern, draw_pattern, verdict
from tests.app.palettes import DARK

STYLES = [None, Style(bold=True), Style(color="red"), Style(bgcolor="blue")]
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp")),
    max_size=12,
)
PARTS = st.lists(st.tuples(TEXT, st.sampled_from(STYLES)), max_size=6)


@given(PARTS, st.integers(0, 40))
def test_fitted_parts_take_exactly_their_width(parts, width):
    assert sum(cell_len(segment.text) for segment in fit(parts, width)) == width


@given(TEXT, st.integers(0, 15))
def test_cut_and_aligned_text_keeps_to_its_width(word, width):
    assert cell_len(cut(word, width)) <= width
    assert cell_len(left(word, width)) == cell_len(right(word, width)) == width
    if cell_len(word) <= width:
        assert cut(word, width) == word


ASCII_STRIPS = st.lists(
    st.tuples(st.text("ab ▀", min_size=1, max_size=5), st.sampled_from(STYLES)), max_size=6
).map(lambda parts: Strip([Segment(*part) for part in parts]))


@given(ASCII_STRIPS, ASCII_STRIPS)
def test_repainting_the_changed_span_gives_the_new_line(old, new):
    def cells(strip):
        return [(character, style) for word, style, _ in strip for character in word]

    before, after = cells(old), cells(new)
    longest = max(len(before), len(after))
    screen = before + [None] * (longest - len(before))
    wanted = after + [None] * (longest - len(after))
    span = changed_span(old, new)
    assert (span is None) == (before == after)
    if span is not None:
        start, end = span
        assert 0 <= start < end <= longest
        assert screen[start] != wanted[start]
        assert screen[end - 1] != wanted[end - 1]
        screen[start:end] = wanted[start:end]
    assert screen == wanted


@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_braille_says_which_dots_are_set(height, width, data):
    size = 8 * height * width
    flat = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    dots = np.array(flat).reshape(4 * height, 2 * width)
    lines = text(codes(dots))
    assert [len(line) for line in lines] == [width] * height
    shown = sum((ord(c) - 0x2800).bit_count() for line in lines for c in line if c != " ")
    assert shown == dots.sum()


def test_the_corners_of_a_braille_picture_are_where_they_belong():
    dots = np.zeros((4, 4), dtype=bool)
    dots[0, 0] = dots[3, 3] = True
    assert text(codes(dots)) == ["⠁⢀"]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6))
def test_a_line_through_points_has_no_holes(points):
    xs, ys = (np.array(values) for values in zip(*sorted(points), strict=True))
    dots = line_dots(xs, ys, (16, 40))
    columns = np.flatnonzero(dots.any(axis=0))
    assert list(columns) == list(range(columns[0], columns[-1] + 1))


def test_points_that_are_not_finite_break_a_line_and_far_ones_are_left_out():
    xs = np.array([0.0, 0.5, 1.0, 0.2])
    ys = np.array([0.0, math.nan, 1.0, 1e300])
    dots = line_dots(xs, ys, (8, 8))
    assert dots[7, 0]
    assert dots[0, 7]
    assert not dots[:, 3:5].any()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_an_area_shows_everything_above_nothing(heights):
    dots = area_dots(np.array(heights), 4)
    assert (dots.any(axis=0) == (np.array(heights) > 0)).all()


@given(st.floats(1, 300), st.floats(1, 6000), st.integers(2, 60))
def test_a_density_peaks_where_its_mode_is(alpha, beta, points):
    shape = density(alpha, beta, points)
    assert shape.max() == 1
    assert (shape >= 0).all()
    if alpha + beta > 3:  # flatter ones have no peak to speak of
        mode = (alpha - 1) / (alpha + beta - 2)
        assert abs(int(shape.argmax()) - (mode * points - 0.5)) <= 1


def test_a_density_is_that_of_the_beta_distribution():
    shape = density(3.0, 5.0, 200)
    x = (np.arange(200) + 0.5) / 200
    true = x**2 * (1 - x) ** 4
    assert np.allclose(shape, true / true.max())


@pytest.mark.parametrize("parameters", [(0, 1), (1, -2), (math.nan, 1), (1, math.inf)])
def test_a_density_without_meaning_is_refused(parameters):
    with pytest.raises(ValueError, match="positive and finite"):
        density(*parameters, 10)


@given(st.floats(1, 30), st.floats(1, 500), st.integers(0, 50), st.none() | st.floats(0, 1))
def test_a_posterior_marks_mean_and_draw_inside_its_width(alpha, beta, width, draw):
    [strip] = posterior(alpha, beta, width, DARK, draw=draw)
    line = "".join(segment.text for segment in strip)
    assert len(line) == width
    if not width:
        return
    assert line.count(DRAW) == (draw is not None)
    underlined = [
        place
        for place, style in enumerate(s for word, s, _ in strip for _ in word)
        if style is not None and style.underline
    ]
    assert underlined == [min(width - 1, int(alpha / (alpha + beta) * width))]


def test_a_repaired_arm_leans_right_and_a_tried_one_left():
    def middle(alpha, beta):
        return density(alpha, beta, 100).argmax()

    # h = 2/3 with C = 20, before and after 40 fruitless completions.
    assert middle(1 + 40 / 3, 1 + 20 / 3) > middle(1 + 40 / 3, 1 + 20 / 3 + 40)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200), st.integers(0, 40))
def test_a_sparkline_has_its_width(values, width):
    assert len(sparkline(values, width)) == width


def test_a_sparkline_rises_with_its_values_and_keeps_peaks():
    assert sparkline([0, 1, 2, 4], 4) == "▁▃▅█"
    assert "█" in sparkline([0.0] * 99 + [5.0] + [0.0] * 99, 10)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(allow_nan=True)), max_size=8),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_a_curve_fills_its_area_exactly(points, width, height):
    series = [Series("a", tuple(sorted(points, key=lambda point: point[0]))), Series("b", ())]
    lines = draw_curves(series, Axes(), width, height, DARK)
    assert len(lines) == min(height, max(3, height))
    assert {sum(cell_len(s.text) for s in line) for line in lines} == {width}


def arms():
    return st.builds(
        lambda number, right, pulls, draw: Arm(
            number, number, None, right, 3, pulls, 1 + 20 * right / 3, 21 - 20 * right / 3 + pulls,
            draw=draw,
        ),
        st.integers(0, 10_000),
        st.integers(0, 3),
        st.integers(0, 4000),
        st.none() | st.floats(0, 1),
    )  # fmt: skip


@given(st.lists(arms(), unique_by=lambda arm: arm.number, max_size=8), st.randoms())
def test_the_order_of_arms_does_not_depend_on_how_they_came(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    for order in ("pulls", "mean", "accuracy", "draw", "number"):
        assert arranged(some, order, "all", frozenset()) == arranged(
            shuffled, order, "all", frozenset()
        )
    by_pulls = arranged(some, "pulls", "all", frozenset())
    assert all(a.pulls >= b.pulls for a, b in pairwise(by_pulls))
    assert all(arm.pulls == 0 for arm in arranged(some, "mean", "fresh", frozenset()))


@given(arms(), st.integers(20, 200))
def test_an_arms_line_has_the_width_of_the_table_and_keeps_what_counts(arm, width):
    strip = draw_arm(arm, width, DARK)
    assert sum(cell_len(s.text) for s in strip) == width
    if width >= 44:
        line = "".join(s.text for s in strip)
        assert line.split()[0] == f"#{arm.number}"
        assert f" {arm.right}/{arm.pairs} " in line
        assert line.endswith("     –")  # these arms have no best child


GRID = np.zeros((1, 1), dtype=np.uint8)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(50, 200), st.booleans())
def test_a_patterns_line_has_the_width_of_the_list(weight, programs, width, submitted):
    pattern = Pattern(1, 1, (GRID,), 12, 3.5, submitted, (True,))
    strip = draw_pattern(pattern, width, DARK, bars=(weight, programs), shares=(weight, programs))
    assert sum(cell_len(s.text) for s in strip) == width


@pytest.mark.parametrize("depth", ["truecolor", "16"])
def test_the_two_bars_of_a_pattern_can_be_told_apart(depth):
    palette = replace(DARK, depth=depth)
    pattern = Pattern(1, 1, (GRID,), 12, 3.5, True, (True,))
    strip = draw_pattern(pattern, 80, palette, bars=(0.5, 0.9), shares=(0.5, 0.9))
    [both] = [segment.style for segment in strip if segment.text.startswith("▀▀")]
    system = {"truecolor": ColorSystem.TRUECOLOR, "16": ColorSystem.STANDARD}[depth]
    assert both.color.downgrade(system) != both.bgcolor.downgrade(system)


def test_a_weight_below_one_is_not_shown_as_nothing():
    pattern = Pattern(1, 1, (GRID,), 12, 0.00345, True, (True,))
    strip = draw_pattern(pattern, 80, DARK, bars=(1.0, 1.0), shares=(1.0, 1.0))
    assert " 0.0034 " in strip.text or " 0.0035 " in strip.text


def test_what_has_a_ground_of_its_own_keeps_it_under_the_cursor():
    own = Style(color="red", bgcolor="blue")
    [over] = lay_over(Strip([Segment("▀", own)]), Style(reverse=True))
    assert not over.style.reverse and (over.style.color, over.style.bgcolor) == (
        own.color,
        own.bgcolor,
    )
    [plain] = lay_over(Strip([Segment("a", Style(color="red"))]), Style(reverse=True))
    assert plain.style.reverse


def test_unknown_truth_is_never_shown_as_wrong():
    signs = {
        marks: verdict(Pattern(1, 1, (GRID,) * 2, 1, 1.0, True, marks))[0]
        for marks in (None, (True, True), (True, False), (False, False))
    }
    assert signs == {None: "?", (True, True): "✓", (True, False): "1/2", (False, False): "✗"}


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_any_text_becomes_printable_lines(source):
    lines = source_lines(source)
    characters = "".join(word for line in lines for word, _ in line)
    assert all(c.isprintable() or unicodedata.category(c) == "Zs" for c in characters)


def test_a_source_is_coloured_by_what_its_words_are():
    [first, *_] = source_lines("def f(x): return 'a # b' + 12  # why")
    roles = dict(first)
    assert roles["def"] == roles["return"] == "primary"
    assert roles["f"] == "primary"
    assert roles["'a # b'"] == "good"
    assert roles["12"] == "accent"
    assert roles["# why"] == "muted"


def test_a_string_over_lines_is_one_string():
    lines = source_lines('a = """x\ny = 1\n"""\nb')
    assert lines[1] == [("y = 1", "good")]
    assert lines[3] == [("b", "text")]


def test_a_line_of_a_megabyte_is_cut_and_says_by_how_much():
    [line] = source_lines("x = '" + "a" * 1_000_000 + "'")
    assert sum(len(word) for word, _ in line) < LONGEST + 50
    assert line[-1] == (" … 996,006 more characters", "warn")


def test_a_diff_names_what_went_and_what_came():
    lines = diff_lines("a\nb\nc\n", "a\nB\nc\n")
    assert [(line.change, line.text) for line in lines[1:]] == [
        (" ", "a"),
        ("-", "b"),
        ("+", "B"),
        (" ", "c"),
    ]
    assert diff_lines("same", "same\n") == []
    assert "too many" in diff_lines("a\n" * 2000, "b\n" * 2000)[0].text


def test_lines_that_look_like_a_diffs_head_are_lines():
    lines = diff_lines("-- a\n", "++ a\n")
    assert [(line.change, line.text) for line in lines[1:]] == [("-", "-- a"), ("+", "++ a")]


def nodes():
    return st.lists(st.none() | st.integers(0, 40), min_size=1, max_size=40).map(
        lambda parents: [
            ChainNode(number, parent, number, "refine", number % 4, 3)
            for number, parent in enumerate(parents)
            if parent is None or parent < number
        ]
    )


@given(nodes())
def test_a_tree_holds_every_candidate_once_below_its_parent(some):
    lines = tree_lines(some)
    assert sorted(line.node.id for line in lines) == sorted(node.id for node in some)
    places = {line.node.id: place for place, line in enumerate(lines)}
    for line in lines:
        if line.parent is not None:
            assert places[line.parent.id] < places[line.node.id]
            assert len(line.guides) == len(lines[places[line.parent.id]].guides) + 3
        path = descent(lines, line.node.id)
        assert path[-1] == line.node.id
        assert all(a < b for a, b in pairwise(path))


def test_a_tree_draws_its_branches():
    some = [
        ChainNode(1, None, 1, "sample", 0, 3),
        ChainNode(2, 1, 2, "refine", 1, 3),
        ChainNode(3, 2, 3, "refine", 2, 3),
        ChainNode(4, 1, 4, "refine", 0, 3),
    ]
    assert [line.guides + str(line.node.id) for line in tree_lines(some)] == [
        "1",
        "├─ 2",
        "│  └─ 3",
        "└─ 4",
    ]


def test_a_chain_thousands_long_is_drawn():
    some = [ChainNode(n, n - 1 if n else None, n, "refine", 0, 3) for n in range(5000)]
    assert len(tree_lines(some)) == 5000


@pytest.mark.parametrize("width", [39, 46, 60])
def test_every_generation_of_a_long_chain_keeps_its_number(width):
    some = [ChainNode(n, n - 1 if n else None, n, "refine", 0, 3) for n in range(200)]
    drawn = [draw_node(line, width, DARK, bright=True).text for line in tree_lines(some)]
    for number, line in enumerate(drawn):
        assert f"─ #{number} refine " in line or number == 0
        assert "0/3" in line and len(line) == width
    assert drawn[3].startswith("      └─ #3") and drawn[30].startswith("…")
    hidden = [int(line[1:3]) for line in drawn[40:60]]
    assert hidden == list(range(hidden[0], hidden[0] + 20))  # so many generations are left out


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(10, 200))
def test_steps_fit_and_their_bar_never_exceeds_its_room(done, whole, width):
    steps = [Step("Sample", "running", done, whole, 12.5, 60), Step("Vote", "waiting")]
    lines = draw_steps(steps, width, DARK)
    assert len(lines) == 3
    assert all(sum(cell_len(s.text) for s in line) == width for line in lines)
