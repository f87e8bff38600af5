"""The embedded Postgres: start, attach, restart after a death, stop.

Failures that it survives (tests/adapters/embedded): kill -9 of the server, of the supervisor, of both; recycled pids;
a killed initdb; several supervisors at once; a full disk.
"""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from adapters.embedded import child
from adapters.embedded.binaries import Binaries, find_binaries
from adapters.embedded.cluster import SUPERUSER, create_cluster, read_password, remove_unfinished
from adapters.embedded.endpoint import HOST, ServerEndpoint, choose_endpoint, publish_endpoint
from adapters.embedded.errors import EmbeddedPostgresError, PostgresDidNotStart, telling_line
from adapters.embedded.home import prepare_home
from adapters.embedded.postgres_log import PostgresLog
from adapters.embedded.postmaster_pid import clear_the_way, read_postmaster_pid, servers_in
from adapters.embedded.server_settings import command_line
from adapters.embedded.supervisor_lock import SupervisorLock
from adapters.embedded.unprivileged import UnprivilegedUser, server_user

# Replaying max_wal_size takes seconds; the limit is for a disk that hangs.
RESTART_TIMEOUT_S = 300.0
# Another process can take the port between our check and the server's bind; three times in a row is another problem.
SPAWN_TRIES = 3
# After an ignored fast shutdown: immediate shutdown (Postgres kills lingering children after 5 s), then SIGKILL.
LAST_RESORT_S = 10.0
_START_POLL_S = 0.01


class EmbeddedPostgres:
    """One Postgres in one folder. An object either supervises it (`start`) or finds one that runs (`attach`). The
    postmaster is a direct child of its supervisor, as root too: SIGCHLD reports its death.

    restarts: number of restarts by `restart_if_dead`.
    """

    def __init__(self, home: Path, *, bindir: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Changes nothing on disk.

        home:     folder for all files of this server (see home.py); `start` makes it if missing.
        bindir:   a folder with postgres and initdb, instead of the wheel's (PG_BINDIR).
        settings: postgresql.conf names and values that replace ours (see server_settings.py).
        """
        self.restarts = 0
        self._home = home.absolute()
        self._data_folder = self._home / "pgdata"
        self._bindir = bindir
        self._settings = dict(settings or {})
        self._lock = SupervisorLock(self._home / "pg.lock")
        self._log = PostgresLog(self._home / "postgres.log")
        self._user: UnprivilegedUser | None = None
        self._binaries: Binaries | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    @property
    def pid(self) -> int | None:
        """Pid of the postmaster that we supervise, None if it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, timeout_s: float = 300.0) -> None:
        """Own the server of this home: make the cluster if there is none, start, wait until it accepts connections.

        Main thread only. Takes 1 s the first time, 0.1 s later. Ends an orphan of a killed supervisor first.
        Raises: AlreadySupervised, UnsupportedPlatform, HomeUnreachable, PostgresDidNotStart, EmbeddedPostgresError;
                then nothing is left running and the lock is released.
        """
        child.require_main_thread()
        if self._lock.is_held:
            raise EmbeddedPostgresError(f"the embedded Postgres in {self._home} was started already")
        deadline_s = time.monotonic() + timeout_s
        with _named_system_errors(self._home), ExitStack() as undo:
            self._user = server_user(self._data_folder)
            prepare_home(self._home, self._user)
            self._lock.take()
            undo.callback(self.stop)
            remove_unfinished(self._home, self._user, deadline_s)
            self._binaries = find_binaries(self._bindir, self._home, self._user)
            create_cluster(self._home, self._binaries, self._user, self._log, deadline_s)
            self._bring_up(self._binaries, deadline_s)
            undo.pop_all()

    def attach(self) -> str | None:
        """The DSN of the server that a process supervises here, None if none accepts connections now.

        Works from any thread; poll it while another process starts the server. Afterwards `dsn` works too.
        Raises: EmbeddedPostgresError if the server belongs to another user (root may attach to any).
        """
        with _named_system_errors(self._home):
            postmaster = read_postmaster_pid(self._data_folder)
            if postmaster is None or postmaster.status != "ready":
                return None
            if postmaster.pid not in servers_in(self._data_folder, server_user(self._data_folder)):
                return None
            self._port = postmaster.port
            return self.dsn()

    def dsn(self, dbname: str = "postgres") -> str:
        """postgresql:// URL of the superuser over TCP. Stays after a restart unless another process took the port."""
        if self._port is None:
            raise EmbeddedPostgresError(f"the embedded Postgres in {self._home} is not up: start or attach first")
        password = quote(read_password(self._home), safe="")
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{self._port}/{quote(dbname, safe='')}"

    def restart_if_dead(self) -> bool:
        """Call it from the main thread on SIGCHLD, and now and then for the log's bound. True if the server had died
        and was restarted.

        Costs microseconds while it lives; blocks while it restarts (0.2 s, plus the replay of the log).
        Raises: PostgresDidNotStart or EmbeddedPostgresError if it cannot; the next call tries again.
        """
        if self._process is None or self._binaries is None:
            return False
        with _named_system_errors(self._home):
            if self._process.poll() is None:
                self._log.keep_within_bound()
                return False
            child.require_main_thread()
            self._bring_up(self._binaries, time.monotonic() + RESTART_TIMEOUT_S)
        self.restarts += 1
        return True

    def stop(self, timeout_s: float = 60.0) -> None:
        """Abort sessions, write a checkpoint, end the server, release the lock. Does nothing if not started.

        After `timeout_s` the server is ended without a checkpoint (at most 20 s more); nothing acknowledged is lost.
        """
        try:
            if self._process is not None:
                _shut_down(self._process, timeout_s)
        finally:
            self._process = None
            self._port = None
            self._lock.release()

    def _bring_up(self, binaries: Binaries, deadline_s: float) -> None:
        for _ in range(SPAWN_TRIES):
            clear_the_way(self._data_folder, self._user, deadline_s)
            endpoint = choose_endpoint(self._home, self._user)
            self._process = self._spawn(binaries, endpoint)
            if _becomes_ready(self._process, self._data_folder, deadline_s):
                self._publish(endpoint)
                return
            if time.monotonic() > deadline_s:
                break
        raise self._did_not_start()

    def _did_not_start(self) -> PostgresDidNotStart:
        lines = self._log.last_lines()
        status = self._process.poll() if self._process else None
        end = f"signal {-status}" if status is not None and status < 0 else f"exit code {status}"
        return PostgresDidNotStart(
            f"postgres in {self._home} did not start ({end}): {telling_line(lines)}; see {self._log.path}", lines
        )

    def _publish(self, endpoint: ServerEndpoint) -> None:
        """A restart on the same port writes nothing, so it needs no space on a full disk."""
        if self._port != endpoint.port:
            self._port = endpoint.port
            publish_endpoint(self._home, endpoint)

    def _spawn(self, binaries: Binaries, endpoint: ServerEndpoint) -> subprocess.Popen[bytes]:
        options = command_line(self._settings, endpoint, binaries.major)
        argv: list[str | Path] = [binaries.postgres, "-D", self._data_folder, *options]
        with self._log.open() as output:
            return child.spawn(argv, self._user, output, signal.SIGINT)  # when we die: fast shutdown


def _becomes_ready(process: subprocess.Popen[bytes], data_folder: Path, deadline_s: float) -> bool:
    """Wait until it accepts connections; False if it ended. At the deadline end it and return False."""
    while process.poll() is None:
        postmaster = read_postmaster_pid(data_folder)
        if postmaster is not None and postmaster.pid == process.pid and postmaster.status == "ready":
            return True
        if time.monotonic() > deadline_s:
            _shut_down(process, LAST_RESORT_S)
            return False
        time.sleep(_START_POLL_S)
    return False


def _shut_down(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Fast shutdown, then immediate shutdown, then SIGKILL."""
    for signal_number, wait_s in (
        (signal.SIGINT, patience_s),
        (signal.SIGQUIT, LAST_RESORT_S),
        (signal.SIGKILL, LAST_RESORT_S),
    ):
        process.send_signal(signal_number)  # does nothing if it has ended
        try:
            process.wait(wait_s)
            return
        except subprocess.TimeoutExpired:
            continue
    raise EmbeddedPostgresError(f"postgres (pid {process.pid}) does not end even by SIGKILL: its disk may be hanging")


@contextmanager
def _named_system_errors(home: Path) -> Iterator[None]:
    """Turn system errors (permissions, a full disk) into one line that names the file."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EmbeddedPostgresError(
            f"the embedded Postgres cannot use {getattr(error, 'filename', None) or home}: {reason}; "
            "make room or give access, or choose another folder"
        ) from error
