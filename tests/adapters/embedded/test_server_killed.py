"""P1: kill -9 of the server at any instant. It is back at once and every acknowledged row is there."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from adapters.embedded import EmbeddedPostgres

from .observe import Serve, is_gone, sql

KillServer = Callable[[EmbeddedPostgres], None]
KILLS = 5


class Writer(threading.Thread):
    """Inserts 0, 1, 2 … each in a transaction of its own; remembers those that were acknowledged."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.dsn, self.acknowledged, self.enough = dsn, [-1], threading.Event()

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            try:
                with psycopg.connect(self.dsn, autocommit=True) as connection:
                    while not self.enough.is_set():
                        number += 1  # an unanswered number is not tried again: it may be there or not
                        connection.execute("INSERT INTO written VALUES (%s)", [number])
                        self.acknowledged.append(number)
            except psycopg.OperationalError:
                time.sleep(0.01)


def test_no_acknowledged_row_is_lost_when_the_server_is_killed_five_times(
    shared_home: Path, serve: Serve, kill_server: KillServer, chance: random.Random
) -> None:
    server = serve(shared_home)
    dsn = server.dsn()
    sql(dsn, "DROP TABLE IF EXISTS written", "CREATE TABLE written (number int)")
    writer = Writer(dsn)
    writer.start()
    try:
        for kill in range(1, KILLS + 1):
            count = len(writer.acknowledged)
            while len(writer.acknowledged) < count + 10:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.1))
            kill_server(server)
            died_s = time.monotonic()
            assert server.restart_if_dead() is True
            print(f"outage {time.monotonic() - died_s:.2f} s")
            assert (server.restarts, server.dsn()) == (kill, dsn)
    finally:
        writer.enough.set()
        writer.join()
    with psycopg.connect(dsn) as connection:
        kept = {number for (number,) in connection.execute("SELECT number FROM written")}
    assert set(writer.acknowledged[1:]) <= kept
    assert len(writer.acknowledged) > KILLS * 10


def test_a_backend_in_a_long_query_does_not_hold_up_the_restart(
    shared_home: Path, serve: Serve, kill_server: KillServer
) -> None:
    server = serve(shared_home)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        backend_pid = connection.info.backend_pid
        busy = threading.Thread(target=_count_for_ever, args=[connection])
        busy.start()
        time.sleep(0.3)
        kill_server(server)
        assert not is_gone(backend_pid)  # it has not noticed: this is the case to be tested
        began_s = time.monotonic()
        assert server.restart_if_dead() is True
        assert time.monotonic() - began_s < 5
        assert is_gone(backend_pid)
        busy.join()


def _count_for_ever(connection: psycopg.Connection) -> None:
    with suppress(psycopg.OperationalError):
        connection.execute("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")
