"""A stranger can walk the documents: links and citations lead somewhere, and every page is near README.md."""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.pages import ROOT, Link, anchors_of, clicks_from, links_of, pages

MAX_CLICKS = 2
TEXT = {".py", ".sql", ".md", ".toml", ".yaml", ".yml", ".mjs", ""}
ELSEWHERE = re.compile(r"\b(?:DESIGN|PRODUCT|FACTS|STYLE)(?:\.md\b|,? §| (?:section )?\d|\)|, )")
"""Documents of the time before there was a docs/ folder; in code PRODUCT is also the name of a constant."""
CITED = re.compile(r"(?<![\w/.])docs/[\w/-]+\.md(?:#[\w-]+)?")
NOT_READ = re.compile(r"tests/architecture/test_docs_links\.py|migrations/000[1-4]_.*\.sql")
"""This file, which has examples; and migrations that were released, which stay as they are byte for byte."""
DECISION = re.compile(r"\b(?:ADR|[Dd]ecision) (\d+)\b")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [str(link) for link in links_of(page) if not leads_somewhere(link)] == []


def leads_somewhere(link: Link) -> bool:
    if not link.file.is_relative_to(ROOT) or not link.file.exists():
        return False
    return not link.anchor or link.anchor in anchors_of(link.file)


def test_every_page_is_within_two_clicks_of_the_readme() -> None:
    clicks = clicks_from(ROOT / "README.md")
    too_far = {str(page.relative_to(ROOT)): clicks.get(page) for page in pages() if clicks.get(page, 99) > MAX_CLICKS}
    assert not too_far


def test_the_map_names_every_page_of_docs() -> None:
    named = {link.file for link in links_of(ROOT / "docs/README.md")} | {ROOT / "docs/README.md"}
    missing = [page for page in (ROOT / "docs").rglob("*.md") if page not in named and page.parent.name != "decisions"]
    assert missing == []


def test_the_list_of_decisions_is_complete() -> None:
    folder = ROOT / "docs/decisions"
    named = {link.file for link in links_of(folder / "README.md")}
    assert [page.name for page in sorted(folder.glob("0*.md")) if page not in named] == []


def test_no_document_outside_the_repository_is_cited() -> None:
    cited = [f"{name}: {found[0]}" for name, text in prose() for found in ELSEWHERE.finditer(text)]
    assert cited == []


def test_every_page_that_the_code_cites_exists() -> None:
    missing = []
    for name, text in prose():
        for found in CITED.finditer(text):
            file, _, anchor = found[0].partition("#")
            if not (ROOT / file).is_file() or (anchor and anchor not in anchors_of(ROOT / file)):
                missing.append(f"{name}: {found[0]}")
    assert missing == []


def test_every_decision_that_is_cited_exists() -> None:
    known = {int(page.name[:4]) for page in (ROOT / "docs/decisions").glob("0*.md")}
    cited = [(name, found[0]) for name, text in prose() for found in DECISION.finditer(text)]
    assert [(name, found) for name, found in cited if int(found.split()[1]) not in known] == []


@cache
def prose() -> tuple[tuple[str, str], ...]:
    """Every text that git knows, by its name: whole, but of Python only comments and strings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(
        (name, "\n".join(words_of(ROOT / name)))
        for name in listed.stdout.splitlines()
        if (ROOT / name).suffix in TEXT and (ROOT / name).is_file() and not NOT_READ.fullmatch(name)
    )


def words_of(file: Path) -> Iterator[str]:
    text = file.read_text()
    if file.suffix != ".py":
        yield text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.string


def test_a_citation_of_another_place_is_seen() -> None:
    for text in ("(DESIGN §5)", "FACTS.md", "PRODUCT §1, P3", "STYLE 17", "(FACTS)", "FACTS, libraries", "DESIGN §4.3"):
        assert ELSEWHERE.search(text), text
    for text in ("in PRODUCT", "PRODUCT = (1,)", "STYLES"):
        assert not ELSEWHERE.search(text), text
