"""Users for processes that must not run as root: Postgres, which refuses to, and parsers of clients' bytes."""

import ctypes
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.errors import EmbeddedPostgresError

# In order of preference: the user that a distribution makes for Postgres, else the one that every system has.
CANDIDATES = ("postgres", "nobody")


# The same for our own processes; never the user of Postgres, who may read the cluster's files.
WORKER_CANDIDATES = ("gatewayz", "nobody")
# A number that no system assigns: above those of people, below systemd's dynamic users.
UNNAMED_UID = 60_738
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class UnprivilegedUser:
    name: str
    uid: int
    gid: int


def server_user(data_folder: Path) -> UnprivilegedUser | None:
    """The user to run Postgres as; None means our own user, because we are not root.

    data_folder: the cluster. If it exists, its owner is returned: Postgres must own it, and the system's users may
                 have changed since it was made.
    Raises:      EmbeddedPostgresError if we are root and no such user exists.
    """
    if os.geteuid() != 0:
        return None
    return _owner_of(data_folder) or _first_candidate()


def worker_user(data_folder: Path, name: str = "") -> UnprivilegedUser | None:
    """The user that our processes change to; None means no change, because we are not root.

    data_folder: of the cluster; need not exist.
    name:        the user to take. Raises: KeyError if there is none of that name.
    """
    if os.geteuid() != 0:
        return None
    if name:
        entry = pwd.getpwnam(name)
        return UnprivilegedUser(name, entry.pw_uid, entry.pw_gid)
    server = _owner_of(data_folder) or _first_of(CANDIDATES)
    worker = _first_of(WORKER_CANDIDATES)
    if worker is None or (server is not None and worker.uid == server.uid):
        return UnprivilegedUser(f"uid {UNNAMED_UID}", UNNAMED_UID, UNNAMED_UID)
    return worker


def become(user: UnprivilegedUser, death_signal: int = 0) -> None:
    """Give up root for good; open files stay open. The kernel also denies other processes of `user` our memory.

    death_signal: sent to us when our parent dies; set again here, because a change of user clears it.
    Raises:       OSError if the system does not know the user's number.
    """
    parent = os.getppid()
    os.setgroups([])
    os.setgid(user.gid)
    os.setuid(user.uid)
    if death_signal:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died in between
            os._exit(1)


def _owner_of(folder: Path) -> UnprivilegedUser | None:
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    if status.st_uid == 0:
        return None
    return UnprivilegedUser(f"uid {status.st_uid}", status.st_uid, status.st_gid)


def _first_of(names: Sequence[str]) -> UnprivilegedUser | None:
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return UnprivilegedUser(name, entry.pw_uid, entry.pw_gid)
    return None


def _first_candidate() -> UnprivilegedUser:
    found = _first_of(CANDIDATES)
    if found is not None:
        return found
    raise EmbeddedPostgresError(
        f"Postgres refuses to run as root and none of the users {', '.join(CANDIDATES)} exists: "
        "run Gatewayz as an ordinary user, or set DATABASE_URL"
    )
