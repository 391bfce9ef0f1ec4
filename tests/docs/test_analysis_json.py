"""The page of the analysis' JSON says what the dataclasses say, and these say something."""

from __future__ import annotations

import pytest

from tests.docs.analysis_json import COMMAND, PAGE, described, fields, page, title
from tests.docs.fields import descriptions


def test_the_page_is_what_the_dataclasses_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"out of date: run `{COMMAND}`"


@pytest.mark.parametrize("part", described(), ids=title)
def test_every_field_is_described(part: type) -> None:
    assert list(descriptions(part)) == fields(part)
