"""`make sabotage` takes minutes and runs now and then; that its patches still fit the code is seen at once."""

from pathlib import Path

import pytest

from tests.sabotage.patch import Patch
from tests.sabotage.patches import PATCHES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.what)
def test_a_sabotage_finds_what_it_breaks_once_and_its_test_exists(patch: Patch) -> None:
    assert (ROOT / patch.file).read_text().count(patch.old) == 1
    file, _, name = patch.test.partition("::")
    assert f"def {name}" in (ROOT / file).read_text()
