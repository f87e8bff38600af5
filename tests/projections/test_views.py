"""Questions select what a view shows: its columns are found by their names in its text."""

import pytest

from projections.available_credit.queries import VIEWS as CREDIT_VIEWS
from projections.engine.views import columns_of
from projections.generation.queries import NAMES, VIEWS


def test_columns_are_found_by_their_last_name() -> None:
    select = """SELECT r.id, coalesce(e.n, 0) AS n, x, (SELECT count(*) FROM t WHERE a = 1, 2) AS c
      FROM read.toy r, read.other e"""
    assert columns_of(select) == ("id", "n", "x", "c")


def test_a_column_without_a_name_is_refused() -> None:
    for select in (CREDIT_VIEWS["available_credit"], "SELECT a, max(b) FROM t"):
        with pytest.raises(ValueError, match="without a name"):
            columns_of(select)


def test_a_question_about_a_request_asks_for_all_that_its_view_shows() -> None:
    shown = {"lines" if name == "charge_lines" else name for name in columns_of(VIEWS["generation"])}
    assert set(NAMES) == shown | {"attempts"}
