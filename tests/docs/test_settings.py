"""The settings reference says what engine/config.py says."""

from __future__ import annotations

from tests.docs.settings import COMMAND, PAGE, page


def test_the_page_is_what_the_settings_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"out of date: run `{COMMAND}`"
