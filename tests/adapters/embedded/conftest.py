"""Homes that the server's user can reach, made clusters to copy, and supervisors to kill."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedPostgres
from adapters.embedded.postmaster_pid import clear_the_way
from adapters.embedded.unprivileged import server_user

from .observe import EVENTUALLY_S, eventually

SUPERVISE = Path(__file__).with_name("supervise.py")
ROOT = Path(__file__).resolve().parents[3]


def passable_folder() -> Path:
    """pytest's tmp_path lies below a 0700 folder, which the server's user cannot pass when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    folder.chmod(0o711)
    return folder


def end_servers_in(data_folder: Path) -> None:
    clear_the_way(data_folder, server_user(data_folder), time.monotonic() + EVENTUALLY_S)


@dataclass
class Supervisor:
    process: subprocess.Popen[str]

    def says(self) -> list[str]:
        """The words of its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def kill(self) -> None:
        """kill -9; on return it is gone."""
        self.process.kill()
        self.process.wait()


Supervise = Callable[..., Supervisor]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder; servers left in it are ended, then it is removed."""
    folder = passable_folder()
    yield folder
    for data_folder in [path.parent for path in folder.rglob("PG_VERSION") if path.parent.parent.name != "base"]:
        end_servers_in(data_folder)
    shutil.rmtree(folder)


@pytest.fixture
def home(folder: Path) -> Path:
    """A home that does not exist yet."""
    return folder / "home"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A home with a cluster, stopped: starting in a copy of it saves initdb's second."""
    folder = passable_folder()
    server = EmbeddedPostgres(folder / "home")
    server.start()
    server.stop()
    (folder / "home" / "pg.json").unlink()
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def made_home(home: Path, template: Path) -> Path:
    """A home with a cluster, stopped; this test's own."""
    subprocess.run(["cp", "-a", template, home], check=True)
    return home


@pytest.fixture
def shared_home(template: Path) -> Iterator[Path]:
    """A home with a cluster, stopped, that all tests use which do not move or damage it; it may hold their tables."""
    yield template
    end_servers_in(template / "pgdata")
    (template / "pg.json").unlink(missing_ok=True)


@pytest.fixture
def serve() -> Iterator[Callable[..., EmbeddedPostgres]]:
    """serve(home, **options): a started EmbeddedPostgres, stopped at the end of the test."""
    servers: list[EmbeddedPostgres] = []

    def start(home: Path, **options: object) -> EmbeddedPostgres:
        servers.append(EmbeddedPostgres(home, **options))  # type: ignore[arg-type]
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    """supervise(home, *options): a supervisor in a process and process group of its own, killed at the end."""
    supervisors: list[Supervisor] = []

    def start(home: Path, *options: str) -> Supervisor:
        process = subprocess.Popen(
            [sys.executable, SUPERVISE, home, *options],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        )
        supervisors.append(Supervisor(process))
        return supervisors[-1]

    yield start
    for supervisor in supervisors:
        supervisor.kill()
        assert supervisor.process.stdout is not None
        supervisor.process.stdout.close()


@pytest.fixture
def chance() -> random.Random:
    """Randomness to be repeated: the seed is printed and shown when the test fails. EMBEDDED_SEED sets it."""
    seed = int(os.environ.get("EMBEDDED_SEED", time.time_ns() % 1_000_000))
    print(f"EMBEDDED_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def kill_server() -> Callable[[EmbeddedPostgres], None]:
    """kill -9 of the postmaster; on return the supervisor can see that it is dead."""

    def kill(server: EmbeddedPostgres) -> None:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: server.pid is None)

    return kill
