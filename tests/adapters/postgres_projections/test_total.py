"""P4: whatever one row holds, every reader of the log goes on: it is named, its account is left behind, no other is."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.postgres.builds.project_log import Projector
from domain.aggregates import CODEC
from domain.credit.commands import Grant
from domain.credit.decider import CREDIT
from projections.api_key.project import PROJECTION as API_KEYS
from projections.available_credit.project import PROJECTION as AVAILABLE_CREDIT
from tests.golden.events.samples import FOLDER, GoldenFile
from tests.projections.append_events import append_events, append_raw
from tests.projections.story import Log, open_account
from tests.projections.tables import stored_tables
from tests.rigs.databases import Database
from tests.rigs.postgres.verifying import WholeLedger, verdict

BEYOND = ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]
TIMES = [*BEYOND, "2026-11-27T00:00:00", "1969-12-31T23:59:59Z", "never"]
NUMBERS = [0, -1, 2**31, 2**62, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, 1.5]
TEXTS = ["", "\x00", "\\N", "x" * 3_000, "e\u0301\U0001f600"]
VALUES: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans() | st.none(),
    int: st.sampled_from(NUMBERS) | st.integers(),
    str: st.sampled_from(TIMES + TEXTS) | st.text(),
    list: st.just([]) | st.none(),
    dict: st.just({}) | st.none(),
}
"""By a field's type as JSON has it: its extremes, and values that do not fit it."""


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field, those inside others too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, field in inner:
        yield (*path, key)
        yield from places_in(field, (*path, key))


def shipped(tag: str) -> Any:
    golden = msgspec.json.decode((FOLDER / f"{tag}.json").read_bytes(), type=GoldenFile)
    return msgspec.json.decode(bytes(golden.full.stored))


EVENTS = {tag: shipped(tag) for tag in sorted(CODEC.tags)}
PLACES = [(tag, path) for tag, event in EVENTS.items() for path in places_in(event)]
HEALTHY = "healthy"
PREFIX = {"account": "account", "api_key": "key", "credit": "credit"}


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, bytes]:
    """A tag and a state of which one field is at an extreme."""
    tag, path = draw(st.sampled_from(PLACES))
    event = deepcopy(EVENTS[tag])
    holder = event
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = draw(VALUES[type(holder[path[-1]])])
    return tag, msgspec.json.encode(event)


AT = b'{"at":"2026-01-01T00:00:00Z"'
RAW = [b"", b"null", b"[]", AT + b"}", b"\xff\xfe", AT + b',"key_id":"\xff"}']

TOLD = mutants() | st.tuples(st.sampled_from(sorted(EVENTS)), st.sampled_from(RAW))


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TOLD, min_size=20, max_size=40))
def test_extremes_of_every_field_stop_no_reader(server_dsn: str, told: list[tuple[str, bytes]]) -> None:
    first, second = Database(server_dsn), Database(server_dsn)
    try:
        for database, page_size in ((first, 1_000), (second, 7)):
            write(database, told)
            Projector(database.projector, page_size=page_size).catch_up()
            report = verdict(database)
            unreadable = {f.position for f in report.findings if f.check == "log" and "cannot be read" in f.message}
            assert unreadable == {at for at, (tag, state) in enumerate(told, 1) if not can_be_read(tag, state)}
            assert not any(HEALTHY in str(finding) for finding in report.findings)
            assert {row[:1] for row in stored_tables(database.owner)["credit_account"]} >= {(HEALTHY,)}
        assert stored_tables(first.owner) == stored_tables(second.owner)
    finally:
        first.drop()
        second.drop()


def write(database: Database, told: list[tuple[str, bytes]]) -> None:
    """Each in a stream of its own, and behind them an account whose events are as they should be."""
    for number, (tag, state) in enumerate(told, 1):
        append_raw(database.writer, f"{PREFIX[tag.partition('.')[0]]}-x{number}", 1, tag, state)
    log = Log()
    open_account(log, HEALTHY)
    for n in range(7):
        log.command(CREDIT, HEALTHY, Grant(at=log.at, lot_id=f"lot{n}", kind="promo", amount_nusd=10))
    append_events(database.writer, log.events)


def can_be_read(tag: str, state: bytes) -> bool:
    try:
        CODEC.decode(tag, state)
    except Exception:  # noqa: BLE001 - that is the question
        return False
    return True


def test_a_row_that_cannot_be_read_is_named_with_its_column_and_hides_no_other(ledger: WholeLedger) -> None:
    database, events = ledger
    end = len(events)
    append_raw(database.writer, "credit-not-text", 1, "credit.granted.v2", AT + b',"lot_id":"\xff"}')
    append_raw(database.writer, "key-unknown", 1, "api_key.issued.v99", b"{}")
    append_raw(database.writer, "account-no-zone", 1, "account.opened.v2", AT[:-2] + b'"}')
    Projector(database.projector).catch_up()
    lots = f"read.credit_lot_{AVAILABLE_CREDIT.build}"
    database.sql(f"UPDATE {lots} SET source = 'x' WHERE lot_id = (SELECT min(lot_id) FROM {lots})")
    report = verdict(database)
    found = {(finding.check, finding.position, finding.place) for finding in report.findings}
    assert {
        ("log", end + 1, "credit-not-text, column state"),
        ("log", end + 2, "key-unknown, column topic"),
        ("log", end + 3, "account-no-zone, column state"),
    } <= found
    assert "read_models" in {check for check, _, _ in found}


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "20000-01-01", "4000-01-01 BC"])
def test_a_time_in_a_read_model_that_no_program_can_hold_is_a_finding(ledger: WholeLedger, moment: str) -> None:
    table = f"read.api_key_{API_KEYS.build}"
    ledger.database.sql(f"UPDATE {table} SET expires_at = %s WHERE key_id = 'acct-0-k0'", moment)
    found = verdict(ledger.database).first
    assert found is not None
    assert (found.check, found.place) == ("read_models", f"{table} key_id='acct-0-k0', column expires_at")


def test_the_money_of_every_account_is_checked(database: Database) -> None:
    """What is wrong with one is found, whatever was wrong with another before."""
    release = AT + b',"reservation_id":"r","key_id":"k","reserved_at":"2026-01-01T00:00:00Z"'
    for name in ("a", "b", "c"):
        state = release + b',"reserved_nusd":1,"reason":"never held"}'
        append_raw(database.writer, f"credit-{name}", 1, "credit.released.v1", state)
    found = {finding.place for finding in verdict(database).findings if finding.check == "money"}
    assert found == {"credit-a", "credit-b", "credit-c"}
