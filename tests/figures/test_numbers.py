import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.figures.figure import cost
from engine.figures.numbers import count, duration, percent, rate, ratio, short, size


@given(st.floats(0, 9e14))
def test_a_short_number_is_short_and_close(number):
    text = short(number)
    assert len(text) <= 5
    unit = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1], 1)
    value = float(text.rstrip("kMGT")) * unit
    assert value == pytest.approx(number, rel=0.06, abs=0.51)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (short(999), "999"),
        (short(9_949), "9.9k"),
        (short(9_960), "10k"),
        (short(999_600), "1.0M"),
        (count(1234567), "1,234,567"),
        (count(None), "–"),
        (rate(1043.2), "1,043/s"),
        (rate(2.25), "2.2/s"),
        (rate(0.2), "12.0/min"),
        (rate(0), "0/s"),
        (rate(None), "–"),
        (ratio(2, 3), "67 % (2 of 3)"),
        (ratio(None, 400), "? (? of 400)"),
        (ratio(0, 0), "? (0 of 0)"),
        (duration(0.25), "0.2 s"),
        (duration(185), "3 min 05 s"),
        (duration(7620), "2 h 07 min"),
        (duration(None), "–"),
        (size(1500), "1.5 kB"),
        (percent(0.425), "42 %"),
        (cost(0.004), "0.004"),
        (cost(0.0), "–"),
        (cost(1234.5), "1,234.50"),
    ],
)
def test_figures_read_as_people_write_them(said, meant):
    assert said == meant
