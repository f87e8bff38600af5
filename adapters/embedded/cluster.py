"""Make the data folder; it is either complete or absent."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.binaries import UNFINISHED_COPY_PREFIX, Binaries
from adapters.embedded.durable import sync_folder, write_file
from adapters.embedded.errors import EmbeddedPostgresError, PostgresDidNotStart, telling_line
from adapters.embedded.home import own_folder
from adapters.embedded.postgres_log import PostgresLog
from adapters.embedded.postmaster_pid import clear_the_way
from adapters.embedded.unprivileged import UnprivilegedUser

SUPERUSER = "postgres"
UNFINISHED_CLUSTER_PREFIX = "unfinished-pgdata-"
_PASSWORD_BYTES = 24
# Code-point order whatever the machine's locales; checksums detect a failing disk before we serve its data.
_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--data-checksums",
    "--auth-local=scram-sha-256",
    "--auth-host=scram-sha-256",
)
# The C library's C.UTF-8 differs between systems; Postgres has its own since 17. With mmap a killed initdb leaves no
# memory in /dev/shm.
_MODERN = 17
_MODERN_OPTIONS = (
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--set=dynamic_shared_memory_type=mmap",
)


def create_cluster(
    home: Path, binaries: Binaries, user: UnprivilegedUser | None, log: PostgresLog, deadline_s: float
) -> None:
    """initdb into `home`/pgdata, unless a cluster is there.

    initdb works in a sibling folder that is renamed when it is complete and on disk: the result of a killed initdb is
    never used. deadline_s: on time.monotonic().
    Raises: PostgresDidNotStart if initdb fails, EmbeddedPostgresError if the existing files cannot be used, OSError.
    """
    data_folder = home / "pgdata"
    if (data_folder / "PG_VERSION").exists():
        _require_password(home)
        return
    if data_folder.exists() and any(data_folder.iterdir()):
        raise EmbeddedPostgresError(f"{data_folder} holds files but no Postgres cluster: move them away")
    _ensure_password(home)
    unfinished = Path(tempfile.mkdtemp(dir=home, prefix=UNFINISHED_CLUSTER_PREFIX))
    try:
        own_folder(unfinished, user)
        _initdb(unfinished, binaries, user, read_password(home), log, deadline_s)
        (unfinished / "pgdata").rename(data_folder)  # initdb has synced the files
        sync_folder(home)
    finally:
        _remove_cluster(unfinished, user, deadline_s)


def remove_unfinished(home: Path, user: UnprivilegedUser | None, deadline_s: float) -> None:
    """Remove unfinished folders of killed processes. Call it only while holding the lock."""
    for folder in home.glob(f"{UNFINISHED_COPY_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in home.glob(f"{UNFINISHED_CLUSTER_PREFIX}*"):
        _remove_cluster(folder, user, deadline_s)


def _remove_cluster(unfinished: Path, user: UnprivilegedUser | None, deadline_s: float) -> None:
    """End initdb's servers first: they outlive a killed initdb for a moment and would go on writing."""
    clear_the_way(unfinished / "pgdata", user, deadline_s)
    shutil.rmtree(unfinished, ignore_errors=True)


def read_password(home: Path) -> str:
    """The superuser's password. Raises FileNotFoundError, PermissionError."""
    return (home / "pg.password").read_text(encoding="utf-8").strip()


def _ensure_password(home: Path) -> None:
    """Make the password; it is on disk before the cluster that needs it."""
    if not (home / "pg.password").exists():
        write_file(home / "pg.password", secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")


def _require_password(home: Path) -> None:
    if not (home / "pg.password").exists():
        raise EmbeddedPostgresError(f"{home}/pg.password is missing but {home}/pgdata needs it: restore the file")


def _initdb(
    unfinished: Path,
    binaries: Binaries,
    user: UnprivilegedUser | None,
    password: str,
    log: PostgresLog,
    deadline_s: float,
) -> None:
    password_file = unfinished / "password"  # initdb reads it as `user`, from a folder that only `user` can enter
    password_file.write_text(password + "\n")
    if user:
        os.chown(password_file, user.uid, user.gid)
    options = _INITDB_OPTIONS + (_MODERN_OPTIONS if binaries.major >= _MODERN else ())
    argv: list[str | Path] = [binaries.initdb, *options, f"--pwfile={password_file}", "--pgdata", unfinished / "pgdata"]
    with log.open() as output:
        exit_code = _end_of(child.spawn(argv, user, output, signal.SIGKILL), deadline_s)
    if exit_code != 0:
        lines = log.last_lines()
        raise PostgresDidNotStart(
            f"initdb in {unfinished.parent} failed ({_words(exit_code)}): {telling_line(lines)}; see {log.path}", lines
        )


def _end_of(process: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """The exit code, or None if the process was killed at the deadline."""
    try:
        return process.wait(max(0.0, deadline_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _words(exit_code: int | None) -> str:
    return "killed, it took too long" if exit_code is None else f"exit code {exit_code}"
