"""A page's changes are merged per row; nothing of their meaning may be lost."""

from projections.engine.changes import COUNT, OPTIONAL_TEXT, TEXT, Add, Change, Delete, Insert, Put, Table
from projections.engine.page import Page

ROWS = Table("rows", {"id": TEXT, "part": TEXT, "n": COUNT, "m": COUNT, "name": OPTIONAL_TEXT}, key=2, deletes_by=1)
LOG = Table("log", {"position": COUNT, "n": COUNT}, insert_only=True)
KEY = ("a", "1")


def merged(*changes: Put | Add | Delete | Insert) -> dict[tuple[object, ...], tuple[dict[str, object], dict[str, int]]]:
    page = Page()
    page.merge(changes)
    return {key: (row.puts, row.adds) for key, row in page.rows[ROWS].items()}


def test_adds_add_up() -> None:
    assert merged(Add(ROWS, KEY, {"n": 1}), Add(ROWS, KEY, {"n": 2, "m": 5})) == {KEY: ({}, {"n": 3, "m": 5})}


def test_a_later_put_overwrites_puts_and_adds() -> None:
    assert merged(Add(ROWS, KEY, {"n": 7}), Put(ROWS, KEY, {"n": 1}), Put(ROWS, KEY, {"n": 2})) == {KEY: ({"n": 2}, {})}


def test_an_add_after_a_put_adds_to_it() -> None:
    assert merged(Put(ROWS, KEY, {"n": 10}), Add(ROWS, KEY, {"n": -1, "m": 1})) == {KEY: ({"n": 9}, {"m": 1})}


def test_the_newest_touch_is_remembered() -> None:
    page = Page()
    page.merge([Add(ROWS, KEY, {"n": 1}, seen_at=4), Add(ROWS, KEY, {"n": 1}, seen_at=9)])
    assert [row.puts for _, row in page.rows[ROWS].items()] == [{"position": 9}]


def test_delete_forgets_every_row_whose_key_begins_so() -> None:
    other = ("b", "1")
    changes: list[Change] = [
        Put(ROWS, KEY, {"n": 1}),
        Add(ROWS, ("a", "2"), {"n": 1}),
        Put(ROWS, other, {"n": 3}),
        Delete(ROWS, ("a",)),
    ]
    assert merged(*changes) == {other: ({"n": 3}, {})}


def test_a_row_touched_after_its_deletion_starts_afresh() -> None:
    assert merged(Put(ROWS, KEY, {"n": 1}), Delete(ROWS, ("a",)), Add(ROWS, KEY, {"m": 2})) == {KEY: ({}, {"m": 2})}


def test_deletes_are_kept_for_rows_of_earlier_pages() -> None:
    page = Page()
    page.merge([Delete(ROWS, ("a",)), Delete(ROWS, ("a",))])
    assert list(page.deletes[ROWS]) == [("a",)]


def test_inserts_pile_up_in_order() -> None:
    page = Page()
    page.merge([Insert(LOG, [(1, 5)]), Insert(LOG, [(2, 6), (3, 7)])])
    assert page.inserts[LOG] == [(1, 5), (2, 6), (3, 7)]


def test_merging_does_not_write_into_the_changes() -> None:
    values = {"n": 1}
    merged(Put(ROWS, KEY, values), Add(ROWS, KEY, {"n": 1}))
    assert values == {"n": 1}
