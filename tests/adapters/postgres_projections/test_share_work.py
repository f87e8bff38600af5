"""Processes that share work: done in whatever order, told in that of the tasks; one that fails or dies is an error."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.operator_error import OperatorError
from adapters.outbound.postgres.verify import examine_ledger
from adapters.outbound.postgres.verify.pin_snapshot import export_snapshot, pinned
from adapters.outbound.postgres.verify.share_work import Task, WorkFailed, work_apart, work_here
from adapters.wiring.commands import verify as wired
from tests.rigs.databases import Database

ROOT = Path(__file__).parents[3]
HEAD = "SELECT position FROM ledger.head"


def double(connection: psycopg.Connection[Any], number: int) -> tuple[int, Any]:
    return 2 * number, connection.execute(HEAD).fetchone()


def die(connection: psycopg.Connection[Any], *_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT * FROM ledger.nowhere")


def tell_pid_and_sleep(connection: psycopg.Connection[Any], folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def exported(connection: psycopg.Connection[Any]) -> str:
    snapshot = export_snapshot(connection)
    assert snapshot is not None
    return snapshot


def run(database: Database, tasks: list[Task], processes: int = 2) -> list[Any]:
    with pinned(database.auditor) as connection:
        return work_apart(database.auditor, exported(connection), tasks, processes)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_results_come_in_the_order_of_tasks_and_see_one_moment(database: Database, processes: int) -> None:
    tasks = [Task(double, (number,)) for number in range(10)]
    with pinned(database.auditor) as connection:
        snapshot = exported(connection)
        database.sql("UPDATE ledger.head SET position = 77")
        apart = work_apart(database.auditor, snapshot, tasks, processes)
        assert apart == work_here(connection, tasks) == [(2 * number, (0,)) for number in range(10)]


def test_a_process_that_dies_is_an_error(database: Database) -> None:
    with pytest.raises(WorkFailed, match="died"):
        run(database, [Task(double, (1,)), Task(die), *[Task(double, (n,)) for n in range(20)]])


def test_a_task_that_fails_is_an_error_of_one_line(database: Database, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkFailed, match=r"UndefinedTable.*nowhere") as raised:
        run(database, [Task(double, (1,)), Task(fail)])
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


def test_no_process_is_left_behind(database: Database, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed):
        run(database, [Task(tell_pid_and_sleep, (str(tmp_path),)), Task(fail)])
    assert not any(is_alive(int(path.name)) for path in tmp_path.iterdir())


def test_processes_die_with_the_one_that_started_them(database: Database, tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, database.auditor, str(tmp_path)], cwd=ROOT)
    pids = eventually(lambda: [int(path.name) for path in tmp_path.iterdir()], 2)
    starter.kill()
    starter.wait()
    eventually(lambda: [pid for pid in pids if not is_alive(pid)], 2)


STARTER = f"""
import sys
from adapters.outbound.postgres.verify.pin_snapshot import pinned
from adapters.outbound.postgres.verify.share_work import Task, work_apart
from {__name__} import exported, tell_pid_and_sleep

with pinned(sys.argv[1]) as connection:
    work_apart(sys.argv[1], exported(connection), [Task(tell_pid_and_sleep, (sys.argv[2],))] * 2, 2)
"""


def test_verify_whose_process_died_complains_in_one_line(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never "clean": exit code 1 and no report."""
    monkeypatch.setattr(examine_ledger, "verify_streams", die)
    monkeypatch.setattr(examine_ledger, "processes_for", lambda events: 2)
    monkeypatch.setattr(wired, "reachable_database", lambda settings: Reachable(database))
    with pytest.raises(OperatorError, match=r"^the ledger could not be verified: a process of the examination died$"):
        wired.verify(None)  # type: ignore[arg-type]


class Reachable:
    """adapters.wiring.database.find_database, of a test's database."""

    held_secrets = None

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> "Reachable":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def auditor(self, name: str) -> str:
        return self._database.auditor


def eventually(look: Any, many: int, within_s: float = 30) -> list[int]:
    deadline_s = time.monotonic() + within_s
    while len(found := look()) < many:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.05)
    return list(found)


def is_alive(pid: int) -> bool:
    """A zombie is not: its own parent has yet to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
