"""A postmaster.pid that lies: the process it names is never signalled and the server starts."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.embedded import EmbeddedPostgres
from adapters.embedded.unprivileged import server_user

from .observe import Serve, sql

Innocent = Callable[..., subprocess.Popen[bytes]]


def name_in_pid_file(home: Path, pid: int) -> None:
    """What a killed postmaster leaves behind, with a pid that another process has by now."""
    lines = [str(pid), str(home / "pgdata"), "1790000000", "20000", str(home / "run"), "127.0.0.1", "1 1", "ready   "]
    (home / "pgdata" / "postmaster.pid").write_text("\n".join(lines) + "\n")


@pytest.fixture
def innocent() -> Iterator[Innocent]:
    """A process of the server's own user: it could be signalled, and Postgres itself would refuse to start."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(program: Path, cwd: Path, home: Path) -> subprocess.Popen[bytes]:
        user = server_user(home / "pgdata")
        processes.append(
            subprocess.Popen(
                [program, "1000"], cwd=cwd, user=user.uid if user else None, group=user.gid if user else None
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


def test_a_recycled_pid_is_innocent(shared_home: Path, serve: Serve, innocent: Innocent) -> None:
    stranger = innocent(Path("/bin/sleep"), Path("/"), shared_home)
    name_in_pid_file(shared_home, stranger.pid)
    assert EmbeddedPostgres(shared_home).attach() is None
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1
    assert stranger.poll() is None


def test_a_stranger_called_postgres_is_innocent(
    folder: Path, shared_home: Path, serve: Serve, innocent: Innocent
) -> None:
    shutil.copy("/bin/sleep", folder / "postgres")
    stranger = innocent(folder / "postgres", Path("/"), shared_home)
    name_in_pid_file(shared_home, stranger.pid)
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1
    assert stranger.poll() is None


def test_a_stranger_working_in_the_data_folder_is_innocent(shared_home: Path, serve: Serve, innocent: Innocent) -> None:
    stranger = innocent(Path("/bin/sleep"), shared_home / "pgdata", shared_home)
    name_in_pid_file(shared_home, stranger.pid)
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1
    assert stranger.poll() is None


def test_a_zombie_is_not_a_server(shared_home: Path, serve: Serve) -> None:
    zombie = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # ended, not reaped
    name_in_pid_file(shared_home, zombie.pid)
    assert EmbeddedPostgres(shared_home).attach() is None
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1
    zombie.wait()


@pytest.mark.parametrize("content", ["", "\n", "garbage\n", "99999999999999\n"])
def test_a_damaged_pid_file_does_not_stop_the_server(shared_home: Path, serve: Serve, content: str) -> None:
    (shared_home / "pgdata" / "postmaster.pid").write_text(content)
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1


def test_a_stale_socket_lock_that_names_a_live_process_is_removed(
    shared_home: Path, serve: Serve, innocent: Innocent
) -> None:
    server = serve(shared_home)
    first_dsn = server.dsn()
    server.stop()
    stranger = innocent(Path("/bin/sleep"), Path("/"), shared_home)
    (shared_home / "run" / f".s.PGSQL.{urlsplit(first_dsn).port}.lock").write_text(f"{stranger.pid}\n")
    server.start()
    assert server.dsn() == first_dsn
    assert stranger.poll() is None
