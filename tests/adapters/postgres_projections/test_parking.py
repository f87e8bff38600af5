"""A poison event parks its account's sequence and raises an alarm; everybody else goes on
(docs/explanation/projections.md)."""

from collections.abc import Sequence

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.advance_read_models import Parked
from domain.aggregates import AGGREGATES
from domain.credit.events import Granted
from domain.rules import Rules, current_events
from projections.engine.changes import Add, Change, Logged
from projections.engine.registry import NAMES
from tests.projections.append_events import append_events, append_raw
from tests.projections.story import wild_story
from tests.projections.tables import replayed_tables, stored_tables
from tests.rigs.databases import Database
from tests.rigs.postgres.projecting import COUNTED, count, counted, counting, head, positions

HUGE = 2**62
CODEC_KINDS = [kind for name in AGGREGATES for kind in current_events(name)]


def parked(database: Database) -> list[tuple[object, ...]]:
    return database.sql("SELECT projection, account, position FROM read.parked ORDER BY 1, 2")


def refuse_grants_of_acct_1(recorded: Logged) -> Sequence[Change]:
    if isinstance(recorded.event, Granted) and recorded.stream == "credit-acct-1":
        raise ValueError("a fault of the projection\x00")
    return count(recorded)


def prepared(database: Database) -> int:
    """A log, all read models at its head, and the first grant's position of acct-1."""
    events = wild_story(20)
    append_events(database.writer, events)
    Projector(database.projector).catch_up()
    database.sql("UPDATE read.positions SET position = 0 WHERE projection = 'api_key'")
    return next(e.position for e in events if isinstance(e.event, Granted) and e.stream == "credit-acct-1")


def test_only_the_poisoned_account_stops(database: Database) -> None:
    first = prepared(database)
    alarms: list[Parked] = []
    projection = counting(database, refuse_grants_of_acct_1)
    Projector(database.projector, [projection], on_parked=alarms.append).catch_up()
    assert parked(database) == [("api_key", "acct-1", first)]
    assert [(alarm.account, alarm.position, alarm.error) for alarm in alarms] == [
        ("acct-1", first, "ValueError: a fault of the projection")
    ]
    assert set(positions(database).values()) == {head(database)}
    expected = database.sql(
        "SELECT originator_id, count(*) FROM ledger.stored_events"
        " WHERE originator_id NOT LIKE '%%acct-1%%' OR notification_id < %s GROUP BY 1",
        first,
    )
    assert counted(database) == dict(expected)  # type: ignore[arg-type]


def test_a_parked_account_stays_parked_after_a_restart(database: Database) -> None:
    prepared(database)
    Projector(database.projector, [counting(database, refuse_grants_of_acct_1)]).catch_up()
    before = counted(database)
    database.sql("UPDATE read.positions SET position = 0 WHERE projection = 'api_key'")
    alarms: list[Parked] = []
    Projector(database.projector, [counting(database, count)], on_parked=alarms.append).catch_up()
    assert alarms == []
    after = counted(database)
    assert {stream: 2 * n for stream, n in before.items() if "acct-1" not in stream} == {
        stream: n for stream, n in after.items() if "acct-1" not in stream
    }
    assert after["account-acct-1"] == before["account-acct-1"]


def test_what_no_build_can_read_parks_its_account_in_every_read_model(database: Database) -> None:
    append_raw(database.writer, "credit-odd", 1, "credit.invented.v1", b"{}")
    append_raw(database.writer, "key-k", 1, "api_key.issued.v9", b'{"account_id":"owner"}')
    append_raw(database.writer, "key-l", 1, "api_key.issued.v9", b"garbage")
    Projector(database.projector).catch_up()
    expected = [(name, account, at) for name in NAMES for account, at in (("key-l", 3), ("odd", 1), ("owner", 2))]
    assert parked(database) == expected


def test_an_event_without_a_rule_parks_its_account(database: Database) -> None:
    """Not named in the table of rules: it is neither skipped nor does it stop the others."""
    first = prepared(database)
    rules = Rules(["account", "key", "credit"], {kind: count for kind in CODEC_KINDS if kind is not Granted})
    projection = counting(database, lambda recorded: (rules[type(recorded.event)] or count)(recorded))
    Projector(database.projector, [projection]).catch_up()
    assert ("api_key", "acct-1", first) in parked(database)
    assert not any("acct-1" in stream and "credit" in stream for stream in counted(database))


def test_effects_that_cannot_be_stored_park_the_account_alone(database: Database) -> None:
    """A sum beyond 64 bits is only seen by the database, for a page as a whole: the event is found by halving."""
    events = wild_story(21)
    append_events(database.writer, events)
    Projector(database.projector).catch_up()
    database.sql("UPDATE read.positions SET position = 0 WHERE projection = 'api_key'")
    poison = next(e.position for e in events if e.stream == "credit-acct-2")

    def add_too_much(recorded: Logged) -> Sequence[Change]:
        if recorded.position == poison:
            return (
                Add(COUNTED, (recorded.stream,), {"events": HUGE}),
                Add(COUNTED, (recorded.stream,), {"events": HUGE}),
            )
        return count(recorded)

    Projector(database.projector, [counting(database, add_too_much)], page_size=64).catch_up()
    assert parked(database) == [("api_key", "acct-2", poison)]
    others = [e for e in events if "acct-2" not in e.stream or e.position < poison]
    assert sum(counted(database).values()) == len(others)


def test_the_other_read_models_of_a_page_are_not_held_back(database: Database) -> None:
    events = wild_story(22)
    append_events(database.writer, events)
    grants = [(f"lot-{n}", HUGE) for n in range(3)]
    for n, (lot, amount) in enumerate(grants, 1):
        state = b'{"at":"2026-11-23T00:00:00Z","lot_id":"%s","kind":"promo","priority":30,"amount_nusd":%d}'
        append_raw(database.writer, "credit-rich", n, "credit.granted.v1", state % (lot.encode(), amount))
    Projector(database.projector).catch_up()
    second = len(events) + 2
    assert parked(database) == [("available_credit", "rich", second)]
    assert set(positions(database).values()) == {len(events) + 3}
    tables, replayed = stored_tables(database.owner), replayed_tables(events)
    assert tables["open_hold"] == replayed["open_hold"]
    assert len(tables["ledger_entry"]) == len(replayed["ledger_entry"]) + 6
