"""A cluster is whole or not there: initdb killed, its supervisor killed, the disk full."""

import os
import random
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedPostgres, EmbeddedPostgresError

from .conftest import Supervise
from .observe import Serve, eventually, is_gone, sql, wait_for_initdb


def unfinished(home: Path) -> list[Path]:
    return list(home.glob("unfinished-*"))


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """A full disk that needs no root: writes beyond it fail for us and our children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_initdb_dies_with_its_supervisor_and_what_it_left_is_never_used(
    home: Path, supervise: Supervise, serve: Serve, chance: random.Random
) -> None:
    for _ in range(3):
        supervisor = supervise(home)
        initdb_pid = wait_for_initdb(supervisor.process.pid)
        time.sleep(chance.uniform(0, 0.2))
        supervisor.kill()
        assert not (home / "pgdata").exists()
        assert unfinished(home)
        eventually(partial(is_gone, initdb_pid))
    assert sql(serve(home).dsn(), "SELECT 1") == 1
    assert unfinished(home) == []


def test_a_killed_initdb_is_reported_and_leaves_nothing(home: Path, supervise: Supervise, serve: Serve) -> None:
    supervisor = supervise(home)
    os.kill(wait_for_initdb(supervisor.process.pid), signal.SIGKILL)
    assert supervisor.says()[:2] == ["failed", "PostgresDidNotStart"]
    assert not (home / "pgdata").exists()
    assert unfinished(home) == []
    assert sql(serve(home).dsn(), "SELECT 1") == 1


@pytest.mark.parametrize(
    "room_bytes", [0, 10, 1024 * 1024], ids=["no room", "none for the password", "none for the log"]
)
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(home: Path, room_bytes: int) -> None:
    with largest_file(room_bytes), pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(home).start()
    print(refused.value)
    assert "\n" not in str(refused.value)
    assert str(home) in str(refused.value)
    assert not (home / "pgdata").exists()
    assert unfinished(home) == []


def test_once_there_is_room_it_starts(home: Path, serve: Serve) -> None:
    for room_bytes in (10, 1024 * 1024):
        with largest_file(room_bytes), pytest.raises(EmbeddedPostgresError):
            EmbeddedPostgres(home).start()
    assert sql(serve(home).dsn(), "SELECT 1") == 1
