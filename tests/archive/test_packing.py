"""Values come back from bytes as they went in, and bytes of others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.archive.packing import (
    MAGIC,
    Compressor,
    Decompressor,
    PackingError,
    pack_bits,
    pack_grids,
    pack_results,
    pack_text,
    train_dictionary,
    unpack_bits,
    unpack_grids,
    unpack_results,
    unpack_text,
)
from engine.programs.candidate import Failure
from tests.arc.drawn import grids
from tests.archive.drawn import results, texts

plain = Decompressor({}.__getitem__)


@given(st.lists(results))
def test_results_come_back(given_results):
    packed = pack_results(given_results)
    assert unpack_results(packed) == tuple(given_results)
    assert unpack_results(plain(Compressor().blob(packed))) == tuple(given_results)
    assert not packed.startswith(MAGIC)


@given(st.lists(grids(6)))
def test_grids_come_back(some):
    assert [grid.tolist() for grid in unpack_grids(pack_grids(some))] == [g.tolist() for g in some]


@given(texts)
def test_text_comes_back(text):
    packed = pack_text(text)
    assert unpack_text(packed) == text
    assert plain(Compressor().source(packed)) == packed
    assert not packed.startswith(MAGIC)


@given(st.lists(st.booleans(), max_size=70))
def test_bits_come_back(bits):
    assert unpack_bits(pack_bits(bits), len(bits)) == tuple(bits)


@given(st.binary(max_size=40))
def test_foreign_bytes_are_refused_or_are_results(data):
    try:
        found = unpack_results(data)
    except PackingError:
        return
    assert pack_results(found) == data


@pytest.mark.parametrize(
    "result",
    [
        b"",
        b"\x01",
        b"\x00\x00",
        b"\x02\x02\x01",
        b"\x1f\x01" + bytes(31),
        Failure("crash", "x" * 70_000),
    ],
)
def test_what_is_no_result_is_refused(result):
    with pytest.raises(PackingError):
        pack_results([result])


def test_a_dictionary_makes_similar_sources_small_and_frames_name_it():
    body = "\n".join(f"    g = step_{i}(g, {i * i})" for i in range(60))
    sources = [f"def transform(g):\n{body}\n    return g + {i}\n".encode() for i in range(1500)]
    trained = train_dictionary(sources[:1000])
    assert trained is not None
    name, data = trained
    compressor = Compressor()
    before = len(compressor.source(sources[-1]))
    compressor.use_dictionary(data)
    packed = compressor.source(sources[-1])
    assert len(packed) < 0.7 * before
    assert Decompressor({name: data}.__getitem__)(packed) == sources[-1]
    with pytest.raises(PackingError):
        plain(packed)


def test_too_few_samples_give_no_dictionary():
    assert train_dictionary([b"x"] * 3) is None


def test_a_damaged_frame_is_refused():
    packed = Compressor().blob(bytes(1000))
    with pytest.raises(PackingError):
        plain(packed[:-3])
