"""P4, P6: what holds for every read model, whatever was told and however the log is cut into pages."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.postgres.builds.install_read_models import install_read_models
from adapters.outbound.postgres.project.advance_read_models import ReadModelWriter
from adapters.outbound.postgres.wire.array_params import byteas, int8s, texts, timestamps, uuids_or_nulls
from domain.api_key.api_key import API_KEY
from domain.credit.decider import CREDIT
from domain.log import RecordedEvent
from domain.proof.chain import StoredEvent, block_chain, event_digest
from projections.available_credit.project import CREDIT_ACCOUNT, CREDIT_LOT, OPEN_HOLD
from projections.engine.changes import COUNT, OPTIONAL_TEXT, TEXT, Add, Change, Delete, Insert, Projection, Put, Table
from projections.engine.page import Page
from projections.engine.registry import PROJECTIONS
from projections.engine.replay import Replay
from projections.ledger_entries.project import LEDGER_ENTRY
from projections.ledger_entries.project import PROJECTION as LEDGER_ENTRIES
from tests.laws.histories import History, histories
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.projections.tables import replayed_rows, replayed_tables, stored_tables
from tests.rigs.databases import ROLES, Database

LAW = settings(max_examples=100, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
WITH_DATABASE = settings(
    LAW,
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

ROWS = Table("rows", {"id": TEXT, "part": TEXT, "n": COUNT, "m": COUNT, "name": OPTIONAL_TEXT}, key=2, deletes_by=1)
LOG = Table("log", {"position": COUNT, "n": COUNT}, insert_only=True)
SMALL = st.integers(-5, 5)
KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("12"))
ADDS = st.builds(Add, st.just(ROWS), KEYS, st.dictionaries(st.sampled_from(["n", "m"]), SMALL, min_size=1))
VALUES = st.fixed_dictionaries({}, optional={"n": SMALL, "name": st.text(max_size=2)})
PUTS = st.builds(Put, st.just(ROWS), KEYS, VALUES)
DELETES = st.builds(Delete, st.just(ROWS), st.tuples(st.sampled_from("ab")))
INSERTS = st.builds(Insert, st.just(LOG), st.lists(st.tuples(SMALL, SMALL), max_size=2))


def recorded(lived: History, owner: str) -> list[RecordedEvent]:
    """A lived stream as the log would have it."""
    return [
        RecordedEvent(n, lived.decider.stream(owner), n, event.tag, event, event.at, UUID(int=n))
        for n, event in enumerate(lived.events, 1)
    ]


# ---- pages


@LAW
@given(st.lists(st.one_of(ADDS, PUTS, DELETES, INSERTS), max_size=30), st.data())
def test_p4_pages_of_any_size_leave_the_same_rows(changes: Sequence[Change], data: st.DataObject) -> None:
    replay = Replay([ROWS, LOG])
    replay.apply(changes)
    tables = _Tables()
    for page in cut(changes, data):
        merged = Page()
        merged.merge(page)
        tables.write(merged)
    assert (tables.rows, tables.log) == (replay.rows(ROWS), replay.inserted[LOG])


def cut(changes: Sequence[Any], data: st.DataObject) -> Iterator[Sequence[Any]]:
    while changes:
        size = data.draw(st.integers(1, len(changes)), label="page size")
        yield changes[:size]
        changes = changes[size:]


class _Tables:
    """What the statements of write_changes do, on dicts."""

    def __init__(self) -> None:
        self.rows: dict[Any, tuple[Any, ...]] = {}
        self.log: list[Any] = []

    def write(self, page: Page) -> None:
        for prefix in page.deletes.get(ROWS, {}):
            self.rows = {key: row for key, row in self.rows.items() if key[:1] != prefix}
        if ROWS in page.rows:
            for key, change in page.rows[ROWS].items():
                row = dict(zip(ROWS.names[2:], self.rows.get(key, (*key, *ROWS.defaults.values()))[2:], strict=True))
                row |= change.puts
                for column, delta in change.adds.items():
                    row[column] += delta
                self.rows[key] = (*key, *row.values())
        self.log += page.inserts.get(LOG, [])


@LAW
@given(st.lists(ADDS, max_size=12), st.randoms(use_true_random=False))
def test_p4_adds_commute(adds: list[Add], rng: Any) -> None:
    one, other = Replay([ROWS]), Replay([ROWS])
    one.apply(adds)
    rng.shuffle(adds)
    other.apply(adds)
    assert one.rows(ROWS) == other.rows(ROWS)


SOME = st.lists(st.sampled_from(PROJECTIONS), unique_by=lambda projection: projection.name, min_size=1)
STEPS = st.lists(st.tuples(SOME, st.integers(1, 40)), max_size=6)


@WITH_DATABASE
@given(seed=st.integers(0, 10_000), steps=STEPS, rest=st.integers(1, 40))
def test_p4_tables_equal_a_replay_however_the_log_is_cut(
    database: Database, seed: int, steps: list[tuple[list[Projection], int]], rest: int
) -> None:
    """Some read models take a page of some size, so that they come to stand apart; then all go on and meet again."""
    _empty(database)
    events = wild_story(seed, steps=60)
    append_events(database.writer, events, commands_per_block=20)
    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, PROJECTIONS)
        for some, size in steps:
            _read_models(connection, some, size).advance()
        everything = _read_models(connection, PROJECTIONS, rest)
        while everything.advance():
            pass
        assert everything.position == len(events)
    assert stored_tables(database.owner) == replayed_tables(events)


def _read_models(connection: psycopg.Connection[Any], which: Sequence[Projection], size: int) -> ReadModelWriter:
    writer = ReadModelWriter(connection, size, lambda page: None, lambda parked: None)
    for build in which:
        writer.take(build)
    return writer


def _empty(database: Database) -> None:
    for statement in (
        "DROP SCHEMA read CASCADE",
        "CREATE SCHEMA read",
        f"ALTER SCHEMA read OWNER TO {ROLES.projector}",
        "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only",
        "ALTER TABLE ledger.blocks DISABLE TRIGGER append_only",
        "ALTER TABLE ledger.commands DISABLE TRIGGER append_only",
        "TRUNCATE ledger.stored_events, ledger.blocks, ledger.commands, ledger.claims",
        "UPDATE ledger.head SET position = 0, chain = decode(repeat('00', 32), 'hex'), recorded_at = 'epoch'",
    ):
        database.sql(statement)


# ---- what the rows mean


@LAW
@given(histories(CREDIT))
def test_p6_the_entries_of_every_event_sum_to_zero(lived: History) -> None:
    for event in recorded(lived, "acc"):
        assert sum(row["amount_nusd"] for row in replayed_rows(LEDGER_ENTRIES, LEDGER_ENTRY, [event])) == 0


@LAW
@given(histories(CREDIT))
def test_p6_the_customers_books_are_the_folds_balance(lived: History) -> None:
    books: Counter[str] = Counter()
    for row in replayed_rows(LEDGER_ENTRIES, LEDGER_ENTRY, recorded(lived, "acc")):
        books[row["book"]] += row["amount_nusd"]
    assert books["customer:acc:held"] == lived.state.held_nusd
    assert books["customer:acc:available"] == lived.state.posted_nusd - lived.state.held_nusd


@LAW
@given(histories(CREDIT))
def test_p4_available_credit_is_the_fold_of_the_stream(lived: History) -> None:
    replay = _replayed("available_credit", recorded(lived, "acc"))
    totals = [(row["posted_nusd"], row["held_nusd"]) for row in _dicts(replay, CREDIT_ACCOUNT)]
    assert totals == [(lived.state.posted_nusd, lived.state.held_nusd)] * len(totals)
    lots = _dicts(replay, CREDIT_LOT)
    left = {lot["lot_id"]: lot["granted_nusd"] - lot["burnt_nusd"] - lot["expired_nusd"] for lot in lots}
    remaining = {lot_id: lot.remaining_nusd for lot_id, lot in lived.state.lots.items()}
    assert {lot_id: n for lot_id, n in left.items() if n} == {lot_id: n for lot_id, n in remaining.items() if n}
    held = Counter[tuple[str, str]]()
    for row in _dicts(replay, OPEN_HOLD):
        held[row["reservation_id"], row["lot_id"]] += row["amount_nusd"]
    assert {key: n for key, n in held.items() if n} == {
        (reservation_id, part.lot_id): part.amount_nusd
        for reservation_id, reservation in lived.state.reservations.items()
        for part in reservation.holds
    }
    assert {key[0] for key in held} == set(lived.state.reservations)


def _replayed(name: str, events: Sequence[RecordedEvent]) -> Replay:
    projection = next(p for p in PROJECTIONS if p.name == name)
    replay = Replay(projection.tables)
    for event in events:
        replay.apply(projection.project(event))
    return replay


def _dicts(replay: Replay, table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in replay.rows(table).values()]


@LAW
@given(histories(API_KEY))
def test_p4_a_key_row_is_the_fold_of_its_stream(lived: History) -> None:
    projection = PROJECTIONS[0]
    rows = replayed_rows(projection, projection.tables[0], recorded(lived, "key"))
    state = lived.state
    assert len(rows) == int(state.exists)
    for row in rows:
        wanted, limit = state.settings, state.settings.limit
        assert (row["secret_hash"], row["last4"]) == (state.secret.hash, state.secret.last4)
        assert (row["label"], row["is_disabled"]) == (wanted.label, wanted.disabled)
        assert (row["limit_nusd"], row["limit_window"]) == ((limit.limit_nusd, limit.window) if limit else (None, None))
        assert row["expires_at"] == wanted.expires_at
        assert (row["is_revoked"], row["created_at"]) == (state.revoked, state.issued_at)
        assert row["updated_at"] == state.changed_at
        assert row["old_until"] == (state.old_until if state.old_secret else None)


# ---- the chain's rule, twice

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
STORED = st.builds(
    StoredEvent,
    st.integers(1, 2**63 - 1),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    st.integers(1, 2**63 - 1),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=40),
    st.integers(-(10**15), 10**17).map(lambda us: us.to_bytes(8, "big", signed=True)),
    st.uuids().map(lambda uuid: uuid.bytes),
    st.none() | st.uuids().map(lambda uuid: uuid.bytes),
)
DIGESTS = b"""
SELECT ledger.event_digest(e.p, e.s, e.v, e.t, e.b, e.r, e.c, e.x)
  FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b) WITH ORDINALITY AS e (p, s, v, t, b, r, c, x, n) ORDER BY n
"""


@WITH_DATABASE
@given(st.lists(STORED, min_size=1, max_size=40))
def test_p7_python_and_sql_digest_events_alike(database: Database, events: list[StoredEvent]) -> None:
    columns: list[tuple[Callable[[Any], Any], list[Any]]] = [
        (int8s, [e.position for e in events]),
        (texts, [e.stream for e in events]),
        (int8s, [e.version for e in events]),
        (texts, [e.tag for e in events]),
        (byteas, [e.state for e in events]),
        (timestamps, [_time(e.recorded_at) for e in events]),
        (uuids_or_nulls, [UUID(bytes=e.command_id) for e in events]),
        (uuids_or_nulls, [e.correlation_id and UUID(bytes=e.correlation_id) for e in events]),
    ]
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute(DIGESTS, [encode(values) for encode, values in columns], binary=True).fetchall()
    assert [bytes(row[0]) for row in rows] == [event_digest(event) for event in events]


def _time(sent: bytes) -> datetime:
    return EPOCH + timedelta(microseconds=int.from_bytes(sent, "big", signed=True))


@WITH_DATABASE
@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**62), st.integers(1, 2**62), st.binary(max_size=40))
def test_p7_python_and_sql_chain_blocks_alike(
    database: Database, previous: bytes, first: int, last: int, digest: bytes
) -> None:
    ((chained,),) = database.sql("SELECT ledger.block_chain(%s, %s, %s, %s)", previous, first, last, digest)
    assert chained == block_chain(previous, first, last, digest)
