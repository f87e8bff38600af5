"""Prose is plain English: at most one odd word in a thousand, in the pages and in each folder of code that is clean."""

from pathlib import Path

import pytest

from tests.architecture.plain_english import odd_words_in, prose_of, prose_of_code, prose_of_page, words_in
from tests.sabotage.patches import PATCHES

ROOT = Path(__file__).parents[2]
MAX_PER_1000 = 1

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
HISTORY = {"CHANGELOG.md"}
"""What was written about earlier versions stays as it was written."""
TITLES = sorted({patch.what for patch in PATCHES}, key=len, reverse=True)
"""Titles of sabotages are names; a page that quotes one is not charged for it."""

CLEAN_FOLDERS = (
    "adapters",
    "application",
    "domain",
    "migrations",
    "projections",
)
"""Folders of code, each with all below it."""


def test_pages_are_plain_english() -> None:
    check([page for page in PAGES if page.name not in HISTORY])


@pytest.mark.parametrize("folder", CLEAN_FOLDERS)
def test_a_clean_folder_stays_plain_english(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} is no folder of code"
    check([*files, *(ROOT / folder).rglob("*.md")])


def check(files: list[Path]) -> None:
    prose = {file: without_titles(prose_of(file)) for file in files}
    words = sum(words_in(text) for text in prose.values())
    odd = [f"{file.relative_to(ROOT)}: {found}" for file, text in prose.items() for found in odd_words_in(text)]
    allowed = max(1, words * MAX_PER_1000 // 1000)
    assert len(odd) <= allowed, f"{len(odd)} in {words} words, {allowed} allowed:\n" + "\n".join(odd)


def without_titles(prose: str) -> str:
    """Longest first, since one title may be the beginning of another."""
    flat = " ".join(prose.split())
    for title in TITLES:
        flat = flat.replace(title, "")
    return flat


def test_only_prose_is_counted() -> None:
    page = "Whoever asks.\n\n```sh\nwhoever\n```\n`whoever` [x](whoever.md)"
    assert len(odd_words_in(prose_of_page(page))) == 1
    code = '"""Says whose it is."""\nX = "told"\n"""Told anew."""\n# meanwhile\n'
    assert len([one for text in prose_of_code(code) for one in odd_words_in(text)]) == 5
