"""The Markdown pages of the repository: their links, anchors, and how many clicks they are from README.md."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "projections", "adapters", "migrations")

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_EXPLICIT = re.compile(r'<a id="([\w-]+)"></a>')


class Link(NamedTuple):
    """A relative link as it is written in `page`; `anchor` is empty if it has none."""

    page: Path
    target: str
    anchor: str

    @property
    def file(self) -> Path:
        return (self.page.parent / self.target).resolve() if self.target else self.page

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.target}{'#' * bool(self.anchor)}{self.anchor}"


def pages() -> list[Path]:
    """Every page of the repository: the root's, docs/, and the READMEs of the product and of golden files."""
    folders = [ROOT / "docs", *(ROOT / folder for folder in PRODUCT), ROOT / "tests/golden"]
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


def links_of(page: Path) -> Iterator[Link]:
    """Relative links only: what begins with a scheme leads out of the repository."""
    for target in _LINK.findall(_CODE.sub(_blank_but_brackets, _FENCE.sub("", page.read_text()))):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield Link(page, file, anchor)


def _blank_but_brackets(code: "re.Match[str]") -> str:
    """Code may be the text of a link; a link inside code is none."""
    return re.sub(r"[\[\]()]", "_", code[0])


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """Anchors that a forge and the site both make of a heading (each has a rule of its own), and explicit ones."""
    text = _FENCE.sub("", page.read_text())
    return frozenset(_EXPLICIT.findall(text)) | frozenset(
        slug for heading in _HEADING.findall(text) if (slug := _slug(heading)) and "--" not in slug
    )


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def clicks_from(start: Path) -> dict[Path, int]:
    """Pages by the number of links that must be followed to reach them from `start`."""
    found, edge = {start: 0}, [start]
    while edge:
        reached = dict.fromkeys(link.file for page in edge for link in links_of(page))
        clicks = found[edge[0]] + 1
        edge = [page for page in reached if page not in found and page.suffix == ".md" and page.is_file()]
        found.update(dict.fromkeys(edge, clicks))
    return found
