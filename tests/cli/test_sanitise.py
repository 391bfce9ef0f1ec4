import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from soar_tui.sanitise import many_lines, one_line

anything = st.text(st.characters(codec=None), max_size=60)


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert one_line("\x1b[31mred\x07") == "\\x1b[31mred\\x07"
    assert one_line("ab\u202ecd\u200b\ufeff") == "ab\\u202ecd\\u200b\\ufeff"
    assert one_line("a\nb\tc\r") == "a\\nb\\tc\\r"
    assert one_line("\U000e0041\x9b2J") == "\\U000e0041\\x9b2J"


def test_text_of_any_language_stays_as_it_is() -> None:
    for text in ("grün · 4×4 → ✓", "рыба", "魚", "[bold]not markup[/bold]"):
        assert one_line(text) == text


def test_many_lines_keeps_lines_only() -> None:
    assert many_lines("def f():\r\n\treturn '\x1b'\n") == "def f():\n    return '\\x1b'\n"


@given(anything)
def test_nothing_is_left_to_obey(text: str) -> None:
    for character in one_line(text):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    assert all(one_line(line) == line for line in many_lines(text).split("\n"))
