"""P9: all children die with the supervisor, and the next one takes over, whatever was left behind."""

import os
import random
import signal
import time
from pathlib import Path

from adapters.embedded import EmbeddedPostgres

from .conftest import Supervise
from .observe import Serve, attached_dsn, eventually, is_gone, sql


def write_row(dsn: str) -> int:
    """One more acknowledged row; returns how many there must be from now on."""
    sql(dsn, "CREATE TABLE IF NOT EXISTS kept (at timestamptz)", "INSERT INTO kept VALUES (now())")
    return rows(dsn)


def rows(dsn: str) -> int:
    return int(sql(dsn, "SELECT count(*) FROM kept"))


def test_the_server_dies_with_its_supervisor_and_the_next_one_finds_every_row(
    shared_home: Path, supervise: Supervise, serve: Serve
) -> None:
    supervisor = supervise(shared_home)
    server_pid = int(supervisor.says()[1])
    written = write_row(attached_dsn(shared_home))
    supervisor.kill()
    eventually(lambda: is_gone(server_pid))
    assert EmbeddedPostgres(shared_home).attach() is None
    assert rows(serve(shared_home).dsn()) == written


def test_a_start_right_after_the_kill_waits_for_the_orphan_to_end(
    shared_home: Path, supervise: Supervise, chance: random.Random
) -> None:
    counts = []
    for _ in range(3):
        supervisor = supervise(shared_home)
        assert supervisor.says()[0] == "owns"
        counts.append(write_row(attached_dsn(shared_home)))
        time.sleep(chance.uniform(0, 0.05))
        supervisor.process.kill()  # not waited for: the kernel may still be tearing it down
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


def test_both_killed_at_once(shared_home: Path, supervise: Supervise, serve: Serve) -> None:
    supervisor = supervise(shared_home)
    server_pid = int(supervisor.says()[1])
    written = write_row(attached_dsn(shared_home))
    supervisor.process.send_signal(signal.SIGSTOP)  # so that it cannot restart what is killed next
    os.kill(server_pid, signal.SIGKILL)
    supervisor.kill()
    assert rows(serve(shared_home).dsn()) == written


def test_an_orphan_that_was_stopped_is_ended(shared_home: Path, supervise: Supervise, serve: Serve) -> None:
    supervisor = supervise(shared_home)
    server_pid = int(supervisor.says()[1])
    written = write_row(attached_dsn(shared_home))
    os.kill(server_pid, signal.SIGSTOP)
    supervisor.kill()
    assert rows(serve(shared_home).dsn()) == written
    assert is_gone(server_pid)


def test_a_supervisor_restarts_a_killed_server_within_a_second(shared_home: Path, supervise: Supervise) -> None:
    server_pid = int(supervise(shared_home).says()[1])
    written = write_row(attached_dsn(shared_home))
    os.kill(server_pid, signal.SIGKILL)
    killed_s = time.monotonic()
    eventually(lambda: is_gone(server_pid))
    eventually(lambda: EmbeddedPostgres(shared_home).attach() is not None)
    print(f"back after {time.monotonic() - killed_s:.2f} s")
    assert rows(attached_dsn(shared_home)) == written


def test_a_signal_to_the_whole_group_does_not_hit_the_server(shared_home: Path, supervise: Supervise) -> None:
    supervisor = supervise(shared_home, "deaf")
    server_pid = int(supervisor.says()[1])
    for number in (signal.SIGINT, signal.SIGTERM):
        os.killpg(supervisor.process.pid, number)
    write_row(attached_dsn(shared_home))
    time.sleep(0.2)
    assert not is_gone(server_pid)
    assert "shutdown request" not in (shared_home / "postgres.log").read_text().rpartition("starting PostgreSQL")[2]


def test_one_signal_to_the_whole_group_stops_all_in_order(shared_home: Path, supervise: Supervise) -> None:
    supervisor = supervise(shared_home)
    server_pid = int(supervisor.says()[1])
    os.killpg(supervisor.process.pid, signal.SIGINT)
    assert supervisor.process.wait(30) == 0
    assert is_gone(server_pid)
    assert (shared_home / "postgres.log").read_text().endswith("database system is shut down\n")


def test_one_of_five_that_start_at_once_on_an_empty_directory_owns_the_server(home: Path, supervise: Supervise) -> None:
    words = [supervisor.says() for supervisor in [supervise(home) for _ in range(5)]]
    assert sorted(said for said, *_ in words) == ["attached"] * 4 + ["owns"]
    assert {dsn for said, dsn in words if said == "attached"} == {attached_dsn(home)}


def test_root_without_the_ptrace_capability_knows_its_server(shared_home: Path, supervise: Supervise) -> None:
    assert supervise(shared_home, "no-ptrace").says()[0] == "owns"
    assert supervise(shared_home, "no-ptrace").says() == ["attached", attached_dsn(shared_home)]
