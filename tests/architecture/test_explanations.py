"""The pages that explain the house name what is there: every room, every promise and what holds it."""

import re

import pytest

from tests.architecture.house_page import PAGE, house_table
from tests.architecture.pages import ROOT
from tests.sabotage.patches import PATCHES

PROMISES = (ROOT / "docs/explanation/promises.md").read_text()
SECTIONS = {section[:2]: section for section in re.split(r"^## ", PROMISES, flags=re.MULTILINE)[1:]}
NUMBERS = [f"P{number}" for number in range(1, 10)]


def test_the_house_is_shown_with_every_room() -> None:
    assert house_table() in PAGE.read_text(), "python -m tests.architecture.house_page writes it"


@pytest.mark.parametrize("promise", NUMBERS)
def test_each_promise_names_tests_and_sabotages_that_exist(promise: str) -> None:
    text = " ".join(SECTIONS[promise].split())
    files = re.findall(r"tests/[\w/]+\.py", text)
    assert files
    assert [name for name in files if not (ROOT / name).is_file()] == []
    titles = re.findall(r"\*([^*]+)\*", text.partition("Sabotages: ")[2])
    assert titles
    assert [
        words for words in titles if words not in {patch.what for patch in PATCHES if patch.promise == promise}
    ] == []


def test_each_label_of_a_sabotage_is_explained() -> None:
    labels = {patch.promise for patch in PATCHES} - set(NUMBERS)
    assert [label for label in sorted(labels) if f"`{label}`" not in PROMISES] == []
