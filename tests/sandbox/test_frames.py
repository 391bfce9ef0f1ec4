"""The wire format: what goes in comes out, and nothing else is accepted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.arc import pack
from engine.programs.candidate import Failure
from engine.programs.sandbox import frames, serve
from engine.programs.sandbox.evaluate import encode_output

grids = st.tuples(st.integers(1, 30), st.integers(1, 30)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 9))
)
texts = st.text(max_size=400)
outcomes = st.lists(
    st.one_of(grids, st.tuples(st.sampled_from(frames.FAILURES), texts)), min_size=1, max_size=6
)


@given(outcomes)
def test_results_survive_the_wire(values):
    payload, expected = b"", []
    for value in values:
        if isinstance(value, tuple):
            payload += frames.encode_failure(*value)
            expected.append(Failure(value[0], frames.one_line(value[1])))
        else:
            payload += encode_output(value.tolist())
            expected.append(pack(value))
    assert frames.decode_results(payload, len(values)) == expected
    with pytest.raises(frames.FrameError):
        frames.decode_results(payload, len(values) - 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_results_or_an_error(payload):
    try:
        results = frames.decode_results(payload, 1000)
    except frames.FrameError:
        return
    for result in results:
        if isinstance(result, Failure):
            assert result.text.isprintable()
            assert len(result.text) <= 300
        else:
            assert len(result) == 2 + result[0] * result[1]
            assert max(result[2:]) <= 9


def test_no_more_results_are_read_than_are_due():
    payload = encode_output([[1]]) * 3 + b"\xff is no result"
    with pytest.raises(frames.FrameError, match="no result"):
        frames.decode_results(payload, 4)
    with pytest.raises(frames.FrameError, match="more than 2 results"):
        frames.decode_results(payload, 2)


@given(texts)
def test_a_failures_text_is_one_short_printable_line(text):
    line = frames.one_line(text)
    assert len(line) <= 300
    assert line.isprintable()


@given(
    st.lists(
        st.tuples(st.binary(max_size=50), st.lists(grids, min_size=1, max_size=3), st.booleans()),
        min_size=1,
        max_size=5,
    )
)
def test_requests_survive_the_wire(programs):
    wanted = [
        (source, frames.encode_grids([pack(grid) for grid in inputs]), alone)
        for source, inputs, alone in programs
    ]
    frame = memoryview(frames.encode_request(7, (0.1, 0.0, 5.0), wanted))[4:]
    request = serve.parse_request(frame)
    assert (request.job, request.cpu, request.stuck, request.fast) == (7, 0.1, 5.0, True)
    for item, (source, inputs, alone) in zip(request.items, wanted, strict=True):
        start, end, number = request.sets[item.set]
        assert bytes(frame[item.start : item.start + item.length]) == source
        assert bytes(frame[start:end]) == inputs
        assert number == inputs[0]
        assert item.alone == alone
