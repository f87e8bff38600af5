"""P4: our log behind the eventsourcing library's own tests, its inserts going through the group commit."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresDatastore
from eventsourcing.tests.persistence import ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase
from psycopg.conninfo import conninfo_to_dict

from adapters.outbound.postgres.append.recorder import LedgerRecorder, LedgerThread
from tests.rigs.chain import broken_chain
from tests.rigs.databases import PASSWORD, ROLES, Database


def open_recorder(database: Database) -> tuple[LedgerRecorder, LedgerThread, PostgresDatastore]:
    place = conninfo_to_dict(database.owner)
    datastore = PostgresDatastore(
        dbname=database.name,
        host=str(place["host"]),
        port=str(place["port"]),
        user=ROLES.writer,
        password=PASSWORD,
        schema="ledger",
        originator_id_type="text",
        pool_size=4,
        max_overflow=10,
    )
    thread = LedgerThread(database.writer)
    return LedgerRecorder(datastore, thread), thread, datastore


class _OnOurLog:
    """Opens the recorder on the test's database and checks the hash chain when the library's test is done."""

    @pytest.fixture(autouse=True)
    def _recorder(self, database: Database) -> Iterator[None]:
        self._opened, thread, datastore = open_recorder(database)
        yield
        thread.close()
        datastore.close()
        assert broken_chain(database) is None

    def create_recorder(self) -> LedgerRecorder:
        return self._opened

    def new_originator_id(self) -> str:
        return f"stream-{uuid4()}"


class TestApplicationRecorder(_OnOurLog, ApplicationRecorderTestCase):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingNotificationIDs(_OnOurLog, NonInterleavingNotificationIDsBaseCase):
    pass


del ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase  # abstract: not to be collected here


@pytest.fixture
def recorder(database: Database) -> Iterator[LedgerRecorder]:
    opened, thread, datastore = open_recorder(database)
    yield opened
    thread.close()
    datastore.close()


def an_event(stream: str, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "topic", b"{}")


def test_one_insert_of_two_streams_is_refused_whole(recorder: LedgerRecorder) -> None:
    with pytest.raises(ProgrammingError, match="one stream at a time"):
        recorder.insert_events([an_event("a", 1), an_event("b", 1)])
    assert recorder.max_notification_id() is None


def test_a_gap_in_the_versions_is_an_integrity_error(recorder: LedgerRecorder) -> None:
    recorder.insert_events([an_event("a", 1)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([an_event("a", 3)])
    with pytest.raises(IntegrityError, match="consecutive"):
        recorder.insert_events([an_event("a", 2), an_event("a", 2)])
    assert recorder.max_notification_id() == 1


def test_the_functions_that_lose_events_cannot_be_enabled(database: Database) -> None:
    datastore = PostgresDatastore("d", "h", "1", "u", "p", originator_id_type="text", enable_db_functions=True)
    with pytest.raises(ProgrammingError, match="loses events"):
        LedgerRecorder(datastore, None)  # type: ignore[arg-type]
    datastore.close()
