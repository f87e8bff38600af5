"""A table's columns are spelled once: its DDL and the rows that rules insert follow from their names."""

from typing import Any

import pytest

from adapters.outbound.postgres.wire.read_log import LoggedEvent
from domain.credit import events as e
from domain.credit.lot import Part
from projections.engine.changes import (
    BYTES,
    COUNT,
    DAY,
    FLAG,
    JSON,
    OPTIONAL_JSON,
    OPTIONAL_TIME,
    TEXT,
    TEXT_FROM_OUTSIDE,
    TIME,
    Column,
    Index,
    Insert,
    Table,
)
from projections.engine.create_tables import create_table
from projections.engine.insert_by_name import Constant, NoSource, insert_by_name
from projections.generation.project import PROJECTION
from tests.golden.events.samples import AT, FULL

ATTEMPTED = e.AttemptRecorded(
    at=AT, reservation_id="r", key_id="k", attempt=e.Attempt(provider="acme", error_class="cut\x00", status=504)
)


def table(**columns: Column) -> Table:
    return Table("toy", {"position": COUNT, **columns}, insert_only=True)


def test_a_row_is_filled_by_the_names_of_its_columns() -> None:
    toy = table(
        account_id=TEXT, reservation_id=TEXT, error_class=TEXT_FROM_OUTSIDE, state=TEXT, shouted=TEXT, code=COUNT
    )
    rule = insert_by_name(
        toy,
        e.AttemptRecorded,
        inside=("attempt",),
        state=Constant("failed"),
        shouted=lambda event: event.key_id.upper(),
        code="attempt.status",
    )
    (insert,) = rule(7, "acct", ATTEMPTED)
    assert insert.rows == ((7, "acct", "r", "cut\ufffd", "failed", "K", 504),)


def test_json_is_encoded() -> None:
    extended = e.ReservationExtended(at=AT, reservation_id="r", key_id="k", added_nusd=1, holds=(Part("lot", 1),))
    (insert,) = insert_by_name(table(holds=JSON), e.ReservationExtended)(7, "acct", extended)
    assert insert.rows == ((7, '[["lot",1]]'),)


def test_a_row_of_one_column_is_a_row() -> None:
    (insert,) = insert_by_name(table(), e.AttemptRecorded)(7, "acct", ATTEMPTED)
    assert insert.rows == ((7,),)


def test_a_part_of_a_row_may_keep_its_defaults_where_that_is_said() -> None:
    (insert,) = insert_by_name(table(amount_nusd=COUNT), e.AttemptRecorded, is_partial=True)(7, "acct", ATTEMPTED)
    assert insert.rows == ((7, 0),)


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        ("amount_nusd", {}),
        ("amount_nusd", {"amount_nusd": "attempt.amount_nusd"}),
        ("key_id", {"key": "key_id"}),
    ],
)
def test_a_name_that_nothing_has_is_seen_at_once(column: str, sources: dict[str, Any]) -> None:
    with pytest.raises(NoSource):
        insert_by_name(table(**{column: COUNT}), e.AttemptRecorded, **sources)


def test_a_name_that_two_have_must_be_told_apart() -> None:
    with pytest.raises(NoSource, match=r"generation\.model"):
        insert_by_name(table(model=TEXT), e.Settled, inside=("generation", "generation"))


def test_every_column_of_a_settled_request_holds_what_its_name_says() -> None:
    (settled,) = (event for event in FULL if isinstance(event, e.Settled))
    (insert,) = PROJECTION.project(LoggedEvent(7, "credit-acct", 1, settled.tag, settled))
    assert isinstance(insert, Insert)
    row = dict(zip(insert.table.names, insert.rows[0], strict=True))
    assert row == {
        "position": 7,
        "reservation_id": "gen-1",
        "account_id": "acct",
        "at": AT,
        "status": "settled",
        "reserved_nusd": 1_000,
        "reason": "",
        "cost_nusd": 1_000,
        "shortfall_nusd": 359_000,
        "burnt": '[["lot-1",700],["lot-2",300]]',
        "charge_nusd": 360_000,
        "charge_lines": '[["input",1200,150000000],["output",300,600000000]]',
        "price_version": "acme/m@3",
        "rounding": settled.charge.rounding,
        "model": "acme/m",
        "provider": "acme",
        "provider_generation_id": "chatcmpl-1",
        "provider_cost_nusd": 300_000,
        "usage": '{"input":1200,"output":300}',
        "finish_reason": "stop",
        "error_class": "cut",
        "ttft_ms": 120,
        "total_ms": 900,
        "streamed": True,
        "estimated": True,
        "quarantined": True,
        "cancelled": True,
    }


def test_ddl_follows_from_the_declaration() -> None:
    changing = Table(
        "toy",
        {"id": TEXT, "day": DAY, "n": COUNT, "b": BYTES, "f": FLAG, "at": OPTIONAL_TIME},
        key=2,
        indexes=(Index("due", "at, id", where="n > 0"),),
        fillfactor=70,
    )
    assert " ".join(create_table(changing).split()) == (
        "CREATE TABLE IF NOT EXISTS read.toy_{build} ( id text NOT NULL, day date NOT NULL,"
        " n bigint NOT NULL DEFAULT 0, b bytea NOT NULL DEFAULT '', f boolean NOT NULL DEFAULT false,"
        " at timestamptz, PRIMARY KEY (id, day) ) WITH (fillfactor = 70);"
        " CREATE INDEX IF NOT EXISTS toy_{build}_due_idx ON read.toy_{build} (at, id) WHERE n > 0;"
    )
    assert " ".join(create_table(table(at=TIME, holds=JSON, burnt=OPTIONAL_JSON, s=TEXT)).split()) == (
        "CREATE TABLE IF NOT EXISTS read.toy_{build} ( position bigint PRIMARY KEY, at timestamptz NOT NULL,"
        " holds json NOT NULL, burnt json, s text NOT NULL ) WITH (autovacuum_freeze_min_age = 0);"
    )
