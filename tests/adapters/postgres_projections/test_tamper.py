"""P4, P7: whoever edits the database behind our back is found out, and the first bad position or row is named.

Each tamperer is the owner, who can switch the triggers off. Blocks hold one command each here; in production a block is
one group commit, and a changed event is named by its block (and, where a read model shows it, by itself).
"""

from collections.abc import Callable

import pytest

from domain.log import RecordedEvent
from projections.engine.registry import PROJECTIONS
from tests.rigs.databases import Database
from tests.rigs.postgres.verifying import WholeLedger, first_finding, verdict

UNLOCK = (
    "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only",
    "ALTER TABLE ledger.blocks DISABLE TRIGGER append_only",
    "ALTER TABLE ledger.commands DISABLE TRIGGER append_only",
    "DROP INDEX ledger.stored_events_notification_id_idx",
    "ALTER TABLE ledger.stored_events DROP CONSTRAINT stored_events_pkey",
)


@pytest.fixture
def events(ledger: WholeLedger) -> list[RecordedEvent]:
    assert verdict(ledger.database).is_clean
    for statement in UNLOCK:
        ledger.database.sql(statement)
    return ledger.events


@pytest.fixture
def database(ledger: WholeLedger) -> Database:
    return ledger.database


def block_of(events: list[RecordedEvent], position: int) -> range:
    """Positions of the command that the event at `position` belongs to."""
    mine = [event.position for event in events if event.command_id == events[position - 1].command_id]
    return range(mine[0], mine[-1] + 1)


# ---- one column of one event

COLUMNS = {
    "originator_id": "originator_id || 'x'",
    "originator_version": "originator_version + 1000",
    "topic": "'credit.released.v1'",
    "state": "convert_to(replace(convert_from(state, 'UTF8'), 'acct', 'acst'), 'UTF8') || ' '::bytea",
    "notification_id": "notification_id + 1000000",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "command_id": "gen_random_uuid()",
    "correlation_id": "gen_random_uuid()",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("at", [1, 50])
def test_an_edited_column_is_found(database: Database, events: list[RecordedEvent], column: str, at: int) -> None:
    database.sql(f"UPDATE ledger.stored_events SET {column} = {COLUMNS[column]} WHERE notification_id = %s", at)
    found = first_finding(database)
    assert found.position in block_of(events, at), found


def test_a_correlation_taken_away_is_found(database: Database, events: list[RecordedEvent]) -> None:
    at = next(event.position for event in events if event.correlation_id is not None)
    database.sql("UPDATE ledger.stored_events SET correlation_id = NULL WHERE notification_id = %s", at)
    assert first_finding(database).position in block_of(events, at)


# ---- whole events


def test_a_deleted_event_is_found(database: Database, events: list[RecordedEvent]) -> None:
    database.sql("DELETE FROM ledger.stored_events WHERE notification_id = 40")
    assert first_finding(database).position in block_of(events, 40)


def test_a_deleted_event_with_the_gap_closed_is_found(database: Database, events: list[RecordedEvent]) -> None:
    database.sql("DELETE FROM ledger.stored_events WHERE notification_id = 40")
    database.sql("UPDATE ledger.stored_events SET notification_id = notification_id - 1 WHERE notification_id > 40")
    database.sql("UPDATE ledger.head SET position = position - 1")
    assert first_finding(database).position in block_of(events, 40)


COPY = (
    "INSERT INTO ledger.stored_events SELECT originator_id, originator_version, topic, state, {position}, recorded_at,"
    " command_id, correlation_id FROM ledger.stored_events WHERE notification_id = 40"
)


def test_an_event_inserted_twice_is_found(database: Database, events: list[RecordedEvent]) -> None:
    database.sql(COPY.format(position=40))
    assert first_finding(database).position in block_of(events, 40)


def test_an_event_inserted_between_is_found(database: Database, events: list[RecordedEvent]) -> None:
    at = block_of(events, 40)[-1] + 1
    database.sql(
        "UPDATE ledger.stored_events SET notification_id = notification_id + 1 WHERE notification_id >= %s", at
    )
    database.sql(COPY.format(position=at))
    database.sql("UPDATE ledger.head SET position = position + 1")
    assert first_finding(database).position == at


def test_an_event_added_at_the_end_is_found(database: Database, events: list[RecordedEvent]) -> None:
    database.sql(COPY.format(position=len(events) + 1))
    assert first_finding(database).position == len(events) + 1


def test_reordered_events_are_found(database: Database, events: list[RecordedEvent]) -> None:
    one = next(n for n in range(30, 60) if block_of(events, n)[-1] == n)
    database.sql(
        "UPDATE ledger.stored_events SET notification_id = %s - notification_id WHERE notification_id IN (%s, %s)",
        2 * one + 1,
        one,
        one + 1,
    )
    assert first_finding(database).position in [*block_of(events, one), one + 1]


# ---- truncation: the end cut off, with ever more of the traces


def cut(database: Database, events: list[RecordedEvent]) -> int:
    """Cut the log after the block around position 60; returns the first position that is gone."""
    last = block_of(events, 60)[-1]
    database.sql("DELETE FROM ledger.stored_events WHERE notification_id > %s", last)
    return last + 1


def test_a_truncated_log_is_found(database: Database, events: list[RecordedEvent]) -> None:
    gone = cut(database, events)
    assert first_finding(database).position == gone


def test_a_log_truncated_with_its_blocks_is_found(database: Database, events: list[RecordedEvent]) -> None:
    gone = cut(database, events)
    database.sql("DELETE FROM ledger.blocks WHERE first_position >= %s", gone)
    assert first_finding(database).position == gone


def test_a_log_truncated_with_blocks_and_head_is_found(database: Database, events: list[RecordedEvent]) -> None:
    """Nothing in the ledger itself tells any more, but the read models stand beyond its head."""
    gone = cut(database, events)
    database.sql("DELETE FROM ledger.blocks WHERE first_position >= %s", gone)
    database.sql("DELETE FROM ledger.commands WHERE first_position >= %s", gone)
    database.sql("DELETE FROM ledger.snapshots")
    database.sql(
        "UPDATE ledger.head SET position = %s,"
        " chain = (SELECT chain FROM ledger.blocks ORDER BY first_position DESC LIMIT 1),"
        " recorded_at = (SELECT recorded_at FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1)",
        gone - 1,
    )
    found = first_finding(database)
    assert (found.position, found.check) == (gone, "log")
    assert "truncated" in found.message
    database.sql("UPDATE read.positions SET position = %s", gone - 1)
    assert first_finding(database).check == "read_models"


# ---- blocks, head, commands, snapshots


@pytest.mark.parametrize("column", ["digest", "chain"])
def test_an_edited_block_is_found(database: Database, events: list[RecordedEvent], column: str) -> None:
    at = block_of(events, 40)[0]
    database.sql(f"UPDATE ledger.blocks SET {column} = sha256({column}) WHERE first_position = %s", at)
    assert first_finding(database).position == at


def test_a_deleted_block_is_found(database: Database, events: list[RecordedEvent]) -> None:
    at = block_of(events, 40)[0]
    database.sql("DELETE FROM ledger.blocks WHERE first_position = %s", at)
    assert first_finding(database).position == at


@pytest.mark.parametrize(
    "change", ["chain = sha256(chain)", "recorded_at = now()", "position = position + 1", "position = position - 1"]
)
def test_an_edited_head_is_found(database: Database, events: list[RecordedEvent], change: str) -> None:
    database.sql(f"UPDATE ledger.head SET {change}")
    assert first_finding(database).position in (len(events), len(events) + 1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger.commands SET first_position = first_position + 1, last_position = last_position + 1",
        "UPDATE ledger.commands SET last_position = last_position + 1",
        "UPDATE ledger.commands SET first_position = NULL, last_position = NULL",
        "UPDATE ledger.commands SET command_id = gen_random_uuid()",
        "DELETE FROM ledger.commands",
    ],
)
def test_an_edited_command_is_found(database: Database, events: list[RecordedEvent], change: str) -> None:
    command_id = events[39].command_id
    database.sql(f"{change} WHERE command_id = %s", command_id)
    found = first_finding(database)
    assert found.check == "commands"
    assert found.position == block_of(events, 40)[0]


def test_an_invented_command_is_found(database: Database, events: list[RecordedEvent]) -> None:
    invented = "INSERT INTO ledger.commands VALUES (gen_random_uuid(), '', gen_random_uuid(), %s, %s)"
    database.sql(invented, len(events) + 1, len(events) + 1)
    assert (first_finding(database).check, first_finding(database).position) == ("commands", len(events) + 1)


@pytest.mark.parametrize(
    "change",
    [
        "state = convert_to(replace(convert_from(state, 'UTF8'), '\"posted_nusd\":', '\"posted_nusd\":1'), 'UTF8')",
        "originator_version = originator_version - 1",
        "originator_version = originator_version + 1000",
    ],
)
def test_an_edited_snapshot_is_found(database: Database, events: list[RecordedEvent], change: str) -> None:
    database.sql(f"UPDATE ledger.snapshots SET {change} WHERE originator_id = 'credit-acct-1'")
    found = first_finding(database)
    assert (found.check, found.place) == ("snapshots", "ledger.snapshots originator_id=credit-acct-1")


def test_a_snapshot_of_another_schema_is_ignored(database: Database, events: list[RecordedEvent]) -> None:
    database.sql("UPDATE ledger.snapshots SET state_schema = 99, state = 'x'")
    assert verdict(database).is_clean


# ---- read models

EDITS: dict[str, Callable[[str], str]] = {
    "int8": lambda name: f"{name} = coalesce({name}, 0) + 1",
    "text": lambda name: f"{name} = coalesce({name}, '') || 'x'",
    "json": lambda name: f"{name} = '[[\"x\",1]]'",
    "bytea": lambda name: f"{name} = {name} || 'x'::bytea",
    "bool": lambda name: f"{name} = NOT {name}",
    "timestamptz": lambda name: f"{name} = coalesce({name}, now()) + interval '1 s'",
    "date": lambda name: f"{name} = {name} + 1000",
}
TABLES = [(p, table) for p in PROJECTIONS for table in p.tables]
IDS = [table.name for _, table in TABLES]
ANY_ROW = "ctid = (SELECT ctid FROM {table} ORDER BY 1 LIMIT 1)"


def test_every_column_of_every_read_model_is_compared(database: Database, events: list[RecordedEvent]) -> None:
    for projection, table in TABLES:
        physical = f"read.{table.name}_{projection.build}"
        last = ", ".join(f"{name} DESC" for name in table.key_names)  # whose key can be raised without a collision
        (row,) = database.sql(f"SELECT ctid::text FROM {physical} ORDER BY {last} LIMIT 1")
        for name, column in table.columns.items():
            before = database.sql(f"SELECT {name}::text FROM {physical} WHERE ctid = %s::text::tid", row[0])
            (edited,) = database.sql(
                f"UPDATE {physical} SET {EDITS[column.sql_type](name)} WHERE ctid = %s::text::tid RETURNING ctid::text",
                row[0],
            )
            found = first_finding(database)
            assert found.check == "read_models" and found.place.startswith(physical), (name, found)
            if name not in table.key_names:
                assert found.place.endswith(f"column {name}"), (name, found)
            (row,) = database.sql(
                f"UPDATE {physical} SET {name} = %s::text::{column.sql_type} WHERE ctid = %s::text::tid"
                " RETURNING ctid::text",
                before[0][0],
                edited[0],
            )
    assert verdict(database).is_clean


@pytest.mark.parametrize(("projection", "table"), TABLES, ids=IDS)
def test_a_deleted_and_an_invented_row_are_found(
    database: Database, events: list[RecordedEvent], projection: object, table: object
) -> None:
    physical = f"read.{table.name}_{projection.build}"  # type: ignore[attr-defined]
    key = table.names[0]  # type: ignore[attr-defined]
    kind = table.columns[key].sql_type  # type: ignore[attr-defined]
    invented = {"int8": "1000000", "text": "'invented'", "bytea": "'invented'::bytea"}[kind]
    others = ", ".join(table.names[1:])  # type: ignore[attr-defined]
    database.sql(f"INSERT INTO {physical} ({key}, {others}) SELECT {invented}, {others} FROM {physical} LIMIT 1")
    found = first_finding(database)
    assert found.place.startswith(f"{physical} {key}=") and "no event accounts" in found.message, found
    database.sql(f"DELETE FROM {physical} WHERE {key} = {invented}")
    assert verdict(database).is_clean
    ((value,),) = database.sql(f"DELETE FROM {physical} WHERE {ANY_ROW.format(table=physical)} RETURNING {key}::text")
    found = first_finding(database)
    assert found.place.startswith(f"{physical} {key}=") and "missing" in found.message, (value, found)


def test_a_book_that_does_not_balance_is_found(database: Database, events: list[RecordedEvent]) -> None:
    last = "(SELECT max(position) FROM read.ledger_entry_v2)"
    database.sql(f"UPDATE read.ledger_entry_v2 SET amount_nusd = amount_nusd + 1 WHERE (position, line) = ({last}, 1)")
    assert "broken: the trial balance is zero" in [finding.message for finding in verdict(database).findings]


def test_a_read_model_wound_back_is_found(database: Database, events: list[RecordedEvent]) -> None:
    """Its position edited, its rows kept: events would be counted twice."""
    database.sql("UPDATE read.positions SET position = 50 WHERE projection = 'available_credit'")
    found = first_finding(database)
    assert (found.check, found.place.partition("_")[0]) == ("read_models", "read.credit")
