"""docs/explanation/money.md cannot lie: its examples are computed again."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "money.md"


def test_p6_the_examples_on_the_money_page_hold() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted >= 15
    assert result.failed == 0
