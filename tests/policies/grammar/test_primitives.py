"""What each primitive does, as a table: a call, a grid before and the grid after (rows by "/")."""

import ast

import numpy as np
import pytest

from engine.policies.grammar.bench import NOT_APPLICABLE, carry_out, fit_constants
from engine.policies.grammar.language import PRIMITIVES, Step
from engine.policies.grammar.problem import Problem
from engine.policies.grammar.source import emit, parse, parse_step
from tests.policies.grammar.test_source import run_bare

EXAMPLES = """
add_border(grid, 3)
    12/40 -> 3333/3123/3403/3333
append_copy(grid, flip_left_right, 'right')
    120/300 -> 120021/300003
attract_objects(grid, 5, 'colour4')
    500000/500100/500000 -> 500000/510000/500000
bounce(grid, 'down right', 1)
    100/000/000/000/000 -> 100/010/001/010/100
combine_panels(grid, two_across, {(0, 0): 0, (0, 1): 3, (1, 0): 3, (1, 1): 2})
    1051/1100 -> 03/33
commonest_to_black(grid)
    551/505 -> 001/050
complete_like_largest(grid, 3)
    00000000/01300000/01100030/00000000 -> 00000000/01300000/01100130/00000110
connect_equals(grid, 'across')
    20020/00100/10001 -> 22220/00100/11111
connect_only(grid, 2, 'across and down')
    20302/00000/20000 -> 22222/20000/20000
connect_with(grid, 'diagonal', 5)
    1000/0000/0000/0001 -> 1000/0500/0050/0001
continue_diagonal_cycle(grid)
    123/200/300 -> 123/231/312
continue_pattern_in(grid, 'rows')
    121200/330000 -> 121212/333333
copy_by(grid, [is_background], mirrored_left_right, {(1,): 10})
    1200/0030 -> 1221/0330
copy_picture_to_marks(grid, 5, 'mixed8')
    0100000/1110000/0100050/0000000 -> 0100000/1110010/0100111/0000010
copy_until_stable(grid, [is_background, row_number], above, {(1, 1): 10})
    0304/0000 -> 0304/0304
crop_around_two_colours(grid, 1, 2)
    0000/0103/0020 -> 10/02
crop_inside_colour(grid, 4)
    44440/41240/43040/44440 -> 12/30
crop_largest_rectangle(grid, 0)
    1000/1001/1111 -> 00/00
crop_near_colour(grid, 5, 1, 0, 1, 2)
    0050/0012/0000 -> 12
crop_restored(grid, 9)
    1221/9443/1221 -> 3
crop_to_colour(grid, 2)
    0000/0210/0020 -> 21/02
crop_to_content(grid)
    0000/0120/0030 -> 12/03
crop_to_object(grid, 'colour4', sizes, 'largest')
    1000/0022/0020 -> 22/20
crop_window(grid, 0, 1, 2, 2)
    1234/5678 -> 23/67
cut_out_object(grid, 'colour8', main_colours, 3)
    1300/3310 -> 03/33
draw_border(grid, 2)
    0000/0100/0000 -> 2222/2102/2222
draw_elbow(grid, 1, 'rows first', 3)
    1000/0000/0001 -> 1333/0003/0001
draw_line_between(grid, 2, 4)
    2000/0000/0000/0002 -> 2000/0400/0040/0002
draw_rays(grid, 1, 'down', 5, 'stop at content')
    101/000/300 -> 101/505/305
draw_towards(grid, 1, 2, 3)
    10020/00000/20000 -> 13320/30000/20000
drop_cells(grid, 'down')
    120/000/003 -> 000/000/123
drop_empty_lines(grid)
    102/000/304 -> 12/34
drop_objects(grid, 'colour4', 'down')
    110/010/000/002 -> 000/000/110/012
drop_repeated_lines(grid)
    112/112/334 -> 12/34
extend_all(grid, 'right', 'pass under content')
    1000/0203 -> 1111/0223
extend_colour(grid, 1, 'sides', 'stop at content')
    000/010/020 -> 010/111/020
extend_edges(grid)
    12/34 -> 1122/1122/3344/3344
extend_pattern(grid, 0, 2, 5)
    1212/2120 -> 12121/21212
fill_boxes(grid, 'colour8', 5)
    0100/1010/0100 -> 5150/1510/5150
fill_boxes_alike(grid, 'colour8')
    2020/0200 -> 2220/2220
fill_by_frame(grid, {2: 3})
    2220000/2020444/2220404/0000444 -> 2220000/2320444/2220404/0000444
fill_enclosed(grid, 4)
    1110/1010/1110 -> 1110/1410/1110
fill_enclosed_alike(grid)
    2220/2020/2220 -> 2220/2220/2220
fill_lines_with(grid, 1, 'rows')
    0100/0020 -> 1111/0020
fill_open(grid, 3)
    1110/1010/1110 -> 1113/1013/1113
filter_by_frequency(grid, 'main', 'keep')
    1120/0103 -> 1100/0100
flood(grid, 3, 0, 'sides')
    3010/0011/0100 -> 3310/3311/3100
frame_objects(grid, 'colour4', 7)
    0000/0100/0000 -> 7770/7170/7770
grid_as_long_as(grid, all_objects, 'row', 'main')
    202/000/220 -> 222
grid_of_copies(grid, 'content', unchanged)
    10/23 -> 1000/2300/1010/2323
grid_of_negatives(grid)
    10/11 -> 0100/0000/0101/0000
hollow_out(grid)
    1110/1110/1110 -> 1110/1010/1110
keep_colour(grid, 2)
    120/211 -> 020/200
keep_half(grid, 'left')
    123/456 -> 12/45
keep_objects(grid, 'colour4', sizes, 'largest')
    1022/0002 -> 0022/0002
keep_panel(grid, two_down, filled_cells, 'largest')
    100/000/110/001 -> 110/001
line_up_objects(grid, 'colour4', 'right', sizes)
    2201033 -> 12233
list_colours(grid, 'most cells first', 'column', 'bars')
    1220/0203 -> 222/100/300
magnify(grid, 2)
    12/03 -> 1122/1122/0033/0033
magnify_by_count(grid, 'colours')
    12/00 -> 1122/1122/0000/0000
majority_of_neighbours(grid)
    111/151/111 -> 111/111/111
make_objects_symmetric(grid, 'mixed8', [flip_left_right])
    1110/1000 -> 1110/1010
map_colours(grid, {1: 4, 2: 5})
    123/210 -> 453/540
mend_rectangles(grid)
    11111/11011/10011/11111 -> 11111/11111/11111/11111
mirror_to_four(grid)
    12/30 -> 1221/3003/3003/1221
move(grid, 1, -1)
    012/034/000 -> 000/120/340
move_colour(grid, 2, 0, 1)
    1200/0200 -> 1020/0020
move_colours(grid, {1: (0, 2), 2: (1, 0)})
    1020/0000 -> 0010/0020
move_objects(grid, 'colour4', 'right', 'own height or width')
    11000/00200 -> 00110/00020
one_cell_per_object(grid, 'colour4')
    110020/110000/000000/003000 -> 102/030
outline(grid, 3, 'sides')
    0000/0100/0000 -> 0300/3130/0300
overlay_all_mirrors(grid)
    100/020/000 -> 101/020/101
overlay_panels(grid, two_across, 'first on top')
    1023/0140 -> 13/41
overlay_turned(grid, flip_left_right)
    120/003 -> 121/303
outline_by_colour(grid, 'sides', {1: 3})
    0000/0100/0000/2200 -> 0300/3130/0300/2200
paint_box_of_colour(grid, 1, 5, 'inside')
    1000/0000/0001 -> 1000/0550/0001
paint_by(grid, [filled_beside], {(2,): 5})
    0100/1000/0000 -> 5100/1500/0000
paint_content(grid, 6)
    102/030 -> 606/060
paint_crossings(grid, 5)
    0010/0000/2000 -> 5010/0000/2050
paint_empty_lines(grid, 3, 'columns')
    1010/1000 -> 1313/1303
paint_empty_squares(grid, 2, 8)
    0001/0010/0000 -> 8801/8810/0000
paint_inside(grid, 5)
    1110/1110/1110 -> 1110/1510/1110
paint_largest_rectangle(grid, 4)
    1000/0000/0100 -> 1444/0444/0100
recolour(grid, 3, 5)
    310/033 -> 510/055
recolour_objects(grid, 'colour4', sizes, 'smallest', 5)
    1122/0002 -> 5522/0002
recolour_objects_by(grid, 'colour4', sizes, 'largest first', {0: 4, 1: 6})
    1122/0002 -> 6644/0004
reduce(grid, 2)
    1122/1122/3300/3300 -> 12/30
remove_border(grid)
    999/919/999 -> 1
remove_colour(grid, 1)
    120/011 -> 020/000
remove_objects(grid, 'colour4', sizes, 1)
    1022/0002 -> 0022/0002
remove_separators(grid)
    1052/5555/3054 -> 102/304
remove_small_objects(grid, 'colour4', 1)
    1022/0002 -> 0022/0002
repeat(grid, 1, 2)
    12/30 -> 1212/3030
repeat_content(grid, 'rows', 'onwards')
    012000/034000 -> 012121/034343
repeat_objects(grid, 'colour4', 'right', 1, 'stop at content')
    1100000/0020000 -> 1101101/0020202
replace_cells_by_blocks(grid, 2, {0: ((0, 0), (0, 0)), 1: ((1, 2), (2, 1))})
    10/01 -> 1200/2100/0012/0021
restore_pattern(grid, 9)
    1212/2199/1212 -> 1212/2121/1212
restore_symmetry(grid, 9)
    1221/9443/1221 -> 1221/3443/1221
reverse_ring_colours(grid)
    11111/12221/12321/12221/11111 -> 33333/32223/32123/32223/33333
reverse_rings(grid)
    1111/1221/1221/1111 -> 2222/2112/2112/2222
roll(grid, 0, 1)
    123/456 -> 312/645
slide_colour_to(grid, 1, 5)
    10005/00005 -> 00015/00005
sort_lines(grid, 'fewest first', 'rows')
    111/100/022 -> 100/022/111
stack_objects(grid, 'colour4', sizes)
    111020/101000/111000 -> 111/121/111
stamp(grid, 1, {(0, 1): 3, (1, 0): 4})
    1000/0010/0000 -> 1300/4013/0040
summarise_blocks(grid, 1, 2, 'content')
    1003/1033 -> 13
summarise_panels(grid, 'content')
    1052/0152/5555/0350/3353 -> 12/33
swap_colours(grid, 1, 2)
    120/012 -> 210/021
paint_like_nearest(grid, 1, 'colour4')
    1103/0000/4000/0011 -> 3303/0000/4000/0044
paint_panels_by(grid, sizes, 'largest first', {0: 10, 1: 0})
    105110/005040/555555/305002/005000 -> 005111/005111/555555/005000/005000
mirror_over_lines(grid)
    10500/02500/55555/00500 -> 10501/02520/55555/02520
rays_by_colour(grid, 'stop at content', {1: ((0, 1, 3),)})
    10020/00000/00100 -> 13320/00000/00133
summarise_panels_by(grid, sizes, 'by value', {1: 7, 2: 8})
    105110/005000/555555/305202 -> 78/78
swap_in_objects(grid, 'mixed4')
    12100/11100/00034 -> 21200/22200/00043
unify_objects(grid, 'mixed4', 'rarest')
    12100/11100/00003 -> 22200/22200/00003
tally(grid, objects_of_colour, 1, 2, 'row by row', 2, 2)
    101/000/100 -> 22/20
tile_with(grid, [[unchanged, flip_left_right], [blank, half_turn]])
    12/30 -> 1221/3003/0003/0021
turn(grid, turn_left)
    123/456 -> 36/25/14
turn_objects(grid, 'mixed4', flip_left_right)
    1200/0034 -> 2100/0043
uniform_grid(grid, 'main', 1, 3)
    1220/0002 -> 222
"""


def grid_of(text: str) -> np.ndarray:
    return np.array([[int(cell) for cell in row] for row in text.split("/")])


def examples() -> list[tuple[str, np.ndarray, np.ndarray]]:
    lines = EXAMPLES.strip().splitlines()
    rows = []
    for call, grids in zip(lines[::2], lines[1::2], strict=True):
        before, after = grids.strip().split(" -> ")
        rows.append((call, grid_of(before), grid_of(after)))
    return rows


def step_of(call: str) -> Step:
    """The step of a call, read the way programs are."""
    step = parse_step(ast.parse(f"grid = {call}").body[0])
    assert step is not None
    return step


@pytest.mark.parametrize(("call", "before", "after"), examples(), ids=lambda v: str(v)[:30])
def test_example(call: str, before: np.ndarray, after: np.ndarray) -> None:
    step = step_of(call)
    source = emit([step])
    assert carry_out(step, before).tolist() == after.tolist()
    assert run_bare(source, before) == after.tolist()
    parsed = parse(source)
    assert parsed is not None
    assert parsed[0].text == step.text


def test_every_primitive_has_an_example() -> None:
    shown = {call[: call.index("(")] for call, _, _ in examples()}
    assert shown == set(PRIMITIVES)


@pytest.mark.parametrize(("call", "before", "after"), examples(), ids=lambda v: str(v)[:30])
def test_constants_are_fitted_from_demonstrations(
    call: str, before: np.ndarray, after: np.ndarray
) -> None:
    step = step_of(call)
    if step.primitive.fit is None:
        return
    twice = Problem((before, before), (), (after, after))
    constants = fit_constants(twice, step.primitive, step.slot_values)
    assert constants is not None
    fitted = Step(step.primitive, step.slot_values + constants)
    assert carry_out(fitted, before).tolist() == after.tolist()


@pytest.mark.parametrize("name", PRIMITIVES)
def test_suggestions_can_be_carried_out_or_are_none(name: str) -> None:
    primitive = PRIMITIVES[name]
    if primitive.suggest is None:
        return
    (call, before, after), *_ = (row for row in examples() if row[0].startswith(name + "("))
    twice = Problem((before, before), (), (after, after))
    best = []
    for slots in primitive.suggest(twice, step_of(call).slot_values):
        constants = fit_constants(twice, primitive, slots) if primitive.fit else ()
        if constants is None:
            continue
        try:
            output = carry_out(Step(primitive, slots + constants), before)
        except NOT_APPLICABLE:
            continue
        best.append(output.tolist() == after.tolist())
    assert any(best)
