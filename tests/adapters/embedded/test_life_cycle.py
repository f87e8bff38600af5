"""Start, attach, stop: what a caller relies on when nothing goes wrong, and what it is told when something does."""

import os
import socket
import stat
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from adapters.embedded import AlreadySupervised, EmbeddedPostgres, EmbeddedPostgresError, PostgresDidNotStart
from adapters.embedded.postgres_log import MAX_SIZE_BYTES

from .observe import Serve, sql


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_start_finds_what_the_first_one_made(home: Path, serve: Serve) -> None:
    began_s = time.monotonic()
    server = serve(home)
    cold_s, first_dsn = time.monotonic() - began_s, server.dsn()
    sql(first_dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert server.pid is None
    began_s = time.monotonic()
    server.start()
    print(f"cold start {cold_s:.2f} s, warm start {time.monotonic() - began_s:.2f} s")
    assert server.dsn() == first_dsn
    assert sql(first_dsn, "SELECT answer FROM kept") == 42


def test_the_cluster_is_private_and_its_folder_passable_even_under_a_strict_umask(folder: Path, serve: Serve) -> None:
    before = os.umask(0o077)
    try:
        serve(folder / "made" / "on" / "the" / "way")
    finally:
        os.umask(before)
    home = folder / "made" / "on" / "the" / "way"
    assert [mode_of(home / name) for name in ("pgdata", "run")] == [0o700, 0o700]
    assert [mode_of(home / name) for name in ("pg.password", "pg.json", "pg.lock", "postgres.log")] == [0o600] * 4


def test_a_folder_that_exists_keeps_its_mode(made_home: Path, serve: Serve) -> None:
    made_home.chmod(0o755)
    serve(made_home)
    assert mode_of(made_home) == 0o755


def test_only_the_password_opens_the_server(shared_home: Path, serve: Serve) -> None:
    server = serve(shared_home)
    password, port = urlsplit(server.dsn()).password, urlsplit(server.dsn()).port
    for host in ("127.0.0.1", str(shared_home / "run")):
        right = f"host={host} port={port} user=postgres dbname=postgres password={password}"
        assert sql(right, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(right + "x")


def test_a_second_supervisor_is_refused_and_attaches(shared_home: Path, serve: Serve) -> None:
    other = EmbeddedPostgres(shared_home)
    assert other.attach() is None
    owner = serve(shared_home)
    with pytest.raises(AlreadySupervised, match=f"pid {os.getpid()}.*stop that"):
        other.start()
    assert other.attach() == owner.dsn()
    assert other.dsn("a b/c") == owner.dsn().removesuffix("postgres") + "a%20b%2Fc"
    owner.stop()
    assert other.attach() is None


def test_settings_replace_ours_but_never_where_it_listens(shared_home: Path, serve: Serve) -> None:
    server = serve(shared_home, settings={"work_mem": "3MB", "listen_addresses": "*", "port": "1"})
    assert sql(server.dsn(), "SHOW work_mem") == "3MB"
    assert sql(server.dsn(), "SHOW listen_addresses") == "127.0.0.1"
    assert [sql(server.dsn(), f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]


def test_a_home_may_have_an_odd_name(folder: Path, made_home: Path, serve: Serve) -> None:
    odd = made_home.rename(folder / 'a "b", c=ü $HOME')
    server = serve(odd)
    # psycopg takes a comma in `host` for a list, so the socket itself is asked for
    assert (odd / "run" / f".s.PGSQL.{urlsplit(server.dsn()).port}").is_socket()
    assert EmbeddedPostgres(odd).attach() == server.dsn()


def test_a_home_too_deep_for_a_socket_is_served_over_tcp_alone(folder: Path, made_home: Path, serve: Serve) -> None:
    (folder / ("d" * 80)).mkdir(mode=0o755)
    server = serve(made_home.rename(folder / ("d" * 80) / "home"))
    assert sql(server.dsn(), "SHOW unix_socket_directories") == ""


def test_a_port_that_somebody_took_is_replaced(shared_home: Path, serve: Serve) -> None:
    server = serve(shared_home)
    port = urlsplit(server.dsn()).port
    server.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        server.start()
        assert urlsplit(server.dsn()).port != port
    assert sql(server.dsn(), "SELECT 1") == 1


def test_a_failing_start_tells_the_servers_own_words_and_frees_the_folder(shared_home: Path, serve: Serve) -> None:
    with pytest.raises(PostgresDidNotStart, match=r'FATAL: .*"work_mem"') as refused:
        EmbeddedPostgres(shared_home, settings={"work_mem": "plenty"}).start()
    assert "\n" not in str(refused.value)
    assert any("work_mem" in line for line in refused.value.log_lines)
    assert sql(serve(shared_home).dsn(), "SELECT 1") == 1


def test_it_is_started_from_the_main_thread_only(home: Path) -> None:
    refusals: list[str] = []

    def start_elsewhere() -> None:
        try:
            EmbeddedPostgres(home).start()
        except EmbeddedPostgresError as error:
            refusals.append(str(error))

    thread = threading.Thread(target=start_elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in refusals[0]
    assert not home.exists()


def test_a_server_that_is_not_up_has_no_dsn_and_needs_no_stop(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.stop()
    assert server.restart_if_dead() is False
    with pytest.raises(EmbeddedPostgresError, match="not up"):
        server.dsn()


def test_the_log_stays_within_its_bound(made_home: Path, serve: Serve) -> None:
    server = serve(made_home)
    log = made_home / "postgres.log"
    with log.open("ab") as file:
        file.write(b"x" * (MAX_SIZE_BYTES + 1))
    assert server.restart_if_dead() is False
    assert log.stat().st_size < MAX_SIZE_BYTES
    assert (made_home / "postgres.log.1").stat().st_size > MAX_SIZE_BYTES
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn("nowhere"))
    assert b'database "nowhere" does not exist' in log.read_bytes()  # the server still writes to it


def test_a_cluster_without_its_password_is_refused(made_home: Path) -> None:
    (made_home / "pg.password").unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"pg\.password is missing"):
        EmbeddedPostgres(made_home).start()


def test_foreign_files_are_not_taken_for_a_cluster(home: Path) -> None:
    (home / "pgdata").mkdir(parents=True, mode=0o755)
    (home / "pgdata" / "diary.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="no Postgres cluster"):
        EmbeddedPostgres(home).start()
    assert (home / "pgdata" / "diary.txt").read_text() == "mine"
