"""The gate's whitelists: names and opcodes that leave nothing behind for the next program.

Each list is a text of words; a line that starts with # says what the words after it belong to.
`tests/sandbox/test_gate.py` walks everything these names reach from the modules they may be
imported from, and fails when that is a module, a container or a function that changes state.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return frozenset(word for line in lines for word in line.split())


MODULES = _words("""
    __future__ bisect collections copy fractions functools heapq itertools math numpy numpy.linalg
    operator re scipy scipy.linalg scipy.ndimage statistics string typing
""")
"""Modules a batched program may import. None of their whitelisted names can be changed in place."""

BUILTINS = _words("""
    ArithmeticError AssertionError AttributeError BaseException Ellipsis Exception False
    IndexError KeyError LookupError NameError None NotImplemented NotImplementedError
    OverflowError RecursionError RuntimeError StopIteration True TypeError UnboundLocalError
    ValueError ZeroDivisionError abs all any bin bool bytes callable chr complex dict divmod
    enumerate filter float format frozenset hex int isinstance issubclass iter len list map max
    min next oct ord pow print range repr reversed round set slice sorted str sum tuple zip
""")

ATTRIBUTES = _words("""
    # lists, dicts, sets, strings, ints, bytes
    add append as_integer_ratio bit_count bit_length capitalize center clear conjugate copy count
    decode denominator difference difference_update discard encode endswith expandtabs extend find
    fromkeys get imag index insert intersection intersection_update isalnum isalpha isdecimal
    isdigit isdisjoint islower isnumeric isspace issubset issuperset istitle isupper items join
    keys ljust lower lstrip maketrans numerator partition pop popitem real remove removeprefix
    removesuffix replace reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split
    splitlines start startswith step stop strip swapcase symmetric_difference
    symmetric_difference_update title to_bytes from_bytes translate union update upper values
    zfill args value
    # collections, itertools, functools, heapq, bisect, copy, operator, fractions, statistics, string
    Counter OrderedDict defaultdict deque appendleft popleft extendleft rotate maxlen elements
    most_common subtract total move_to_end accumulate chain from_iterable combinations
    combinations_with_replacement compress count cycle dropwhile filterfalse groupby islice
    pairwise permutations product repeat starmap takewhile tee zip_longest cache cmp_to_key
    lru_cache partial reduce heapify heappop heappush heappushpop heapreplace merge nlargest
    nsmallest bisect bisect_left bisect_right insort insort_left insort_right deepcopy itemgetter
    and_ contains eq floordiv ge gt le lt mod mul ne neg not_ or_ sub truediv xor Fraction
    limit_denominator mean median mode multimode fmean ascii_letters ascii_lowercase
    ascii_uppercase digits
    # math
    ceil comb copysign cos degrees dist e exp fabs factorial floor fmod fsum gcd hypot inf isclose
    isfinite isinf isnan isqrt lcm log log10 log2 nan perm pi pow prod radians remainder sin sqrt
    tan tau trunc acos asin atan atan2
    # typing and __future__
    Any Callable Deque Dict FrozenSet Iterable Iterator List Optional Sequence Set Tuple Union
    annotations
    # re
    I IGNORECASE escape findall finditer fullmatch group groups match search span sub compile end
    # numpy and its arrays
    T all any argmax argmin argpartition argsort argwhere around array array_equal array_split
    asarray ascontiguousarray astype at atleast_1d atleast_2d atleast_3d average axis bincount
    bitwise_and bitwise_not bitwise_or bitwise_xor block bool_ broadcast_arrays broadcast_to
    choose clip column_stack concatenate convolve corrcoef correlate count_nonzero cov cross
    cumprod cumsum delete diag diag_indices diagflat diagonal diff digitize divide dot dsplit
    dstack dtype ediff1d einsum empty empty_like equal expand_dims extract eye fill fill_diagonal
    flat flatnonzero flatten flip fliplr flipud float16 float32 float64 floor_divide floating full
    full_like greater greater_equal histogram histogram2d hsplit hstack identity in1d indices
    inner int16 int32 int64 int8 int_ integer interp intersect1d intp invert isin item itemsize
    ix_ kron less less_equal lexsort linalg linspace logical_and logical_not logical_or
    logical_xor matmul matrix_rank maximum meshgrid mgrid minimum moveaxis multiply nanargmax
    nanargmin nanmax nanmean nanmin nansum nbytes ndarray ndenumerate ndim ndindex negative newaxis
    nonzero norm not_equal number ogrid ones ones_like outer pad percentile piecewise place
    power ptp put put_along_axis putmask quantile ravel ravel_multi_index repeat reshape rint roll
    rollaxis rot90 round searchsorted select setdiff1d setxor1d shape sign signedinteger size sort
    split squeeze stack std subtract sum swapaxes take take_along_axis tensordot tile tobytes
    tolist trace transpose trapezoid tri tril tril_indices triu triu_indices uint16 uint32 uint64
    uint8 union1d unique unravel_index unsignedinteger vdot var vectorize vsplit vstack where zeros
    zeros_like absolute abs min max arange det inv solve matrix_power lstsq eig svd
    apply_along_axis apply_over_axes fromfunction fromiter floor amax amin column row_stack mod
    # scipy.ndimage
    ndimage binary_closing binary_dilation binary_erosion binary_fill_holes binary_hit_or_miss
    binary_opening binary_propagation center_of_mass distance_transform_cdt
    distance_transform_edt find_objects generate_binary_structure grey_dilation grey_erosion
    iterate_structure label labeled_comprehension maximum_filter maximum_position
    median_filter minimum_filter minimum_position rank_filter rotate shift sum_labels
    uniform_filter zoom
""")
"""Attribute names a batched program may read, whatever the object."""

OWN_DUNDERS = frozenset(("__name__", "__doc__", "__annotations__", "__conditional_annotations__"))
"""Dunder names that as globals are the program's own."""

PLAIN_OPCODES = _words("""
    # Python 3.11
    CACHE POP_TOP PUSH_NULL NOP UNARY_POSITIVE UNARY_NEGATIVE UNARY_NOT UNARY_INVERT BINARY_SUBSCR
    GET_LEN MATCH_MAPPING MATCH_SEQUENCE MATCH_KEYS PUSH_EXC_INFO CHECK_EXC_MATCH STORE_SUBSCR
    DELETE_SUBSCR GET_ITER GET_YIELD_FROM_ITER LOAD_ASSERTION_ERROR RETURN_GENERATOR
    LIST_TO_TUPLE RETURN_VALUE SETUP_ANNOTATIONS YIELD_VALUE POP_EXCEPT UNPACK_SEQUENCE FOR_ITER
    UNPACK_EX SWAP LOAD_CONST BUILD_TUPLE BUILD_LIST BUILD_SET BUILD_MAP COMPARE_OP JUMP_FORWARD
    JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE
    IS_OP CONTAINS_OP RERAISE COPY BINARY_OP SEND LOAD_FAST STORE_FAST DELETE_FAST
    POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_FORWARD_IF_NONE RAISE_VARARGS MAKE_FUNCTION BUILD_SLICE
    JUMP_BACKWARD_NO_INTERRUPT MAKE_CELL LOAD_CLOSURE LOAD_DEREF STORE_DEREF DELETE_DEREF
    JUMP_BACKWARD CALL_FUNCTION_EX EXTENDED_ARG LIST_APPEND SET_ADD MAP_ADD COPY_FREE_VARS RESUME
    FORMAT_VALUE BUILD_CONST_KEY_MAP BUILD_STRING LIST_EXTEND SET_UPDATE DICT_MERGE DICT_UPDATE
    PRECALL CALL KW_NAMES POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_NONE
    POP_JUMP_BACKWARD_IF_FALSE POP_JUMP_BACKWARD_IF_TRUE
    # 3.12
    END_FOR END_SEND BINARY_SLICE STORE_SLICE RETURN_CONST
    CLEANUP_THROW LOAD_FAST_CHECK LOAD_FAST_AND_CLEAR POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE POP_JUMP_IF_NONE
    POP_JUMP_IF_NOT_NONE
    # 3.13
    FORMAT_SIMPLE FORMAT_WITH_SPEC TO_BOOL CALL_KW CONVERT_VALUE
    LOAD_FAST_LOAD_FAST SET_FUNCTION_ATTRIBUTE STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST
    # 3.14
    LOAD_SMALL_INT LOAD_FAST_BORROW LOAD_FAST_BORROW_LOAD_FAST_BORROW POP_ITER NOT_TAKEN
    LOAD_COMMON_CONSTANT ANNOTATIONS_PLACEHOLDER
""")
"""Opcodes that name nothing. `with` blocks, classes, awaiting and class patterns are not here."""
