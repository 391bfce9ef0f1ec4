"""Links of the pages that the docs tool does not see lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and mkdocs name them."""
    titles = (re.sub(r"[^\w\s-]", "", title.lower()).strip() for title in _HEADING.findall(text))
    return {re.sub(r"\s", "-", title) for title in titles}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_top_level_pages_lead_somewhere(name: str) -> None:
    targets = _LINK.findall((ROOT / name).read_text("utf-8"))
    assert targets
    for target in targets:
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        assert (ROOT / path).is_file(), f"{name}: {target}"
        assert not anchor or anchor in anchors((ROOT / path).read_text("utf-8")), (
            f"{name}: {target}"
        )


def test_every_page_has_its_place_in_the_navigation() -> None:
    navigation = (ROOT / ".mkdocs.yml").read_text("utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert pages == set(re.findall(r"\b(\w[\w-]*\.md)\b", navigation))
