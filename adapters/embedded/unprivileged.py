"""Who does not run as root: Postgres, which refuses to, and processes that parse strangers' bytes."""

import ctypes
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.errors import EmbeddedPostgresError

# In order of preference: a user of its own where a distribution made one, else the one that every system has.
CANDIDATES = ("postgres", "nobody")


# The same for processes of ours; never the user whom Postgres runs as: he may read the cluster's files.
WORKER_CANDIDATES = ("gatewayz", "nobody")
# One that no system gives away: above those of people, below those that systemd takes for a while.
UNNAMED_UID = 60_738
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class UnprivilegedUser:
    name: str
    uid: int
    gid: int


def server_user(data_folder: Path) -> UnprivilegedUser | None:
    """The user Postgres runs as; None means as ourselves, because we are not root.

    data_folder: the cluster. If it exists its owner is the answer: Postgres insists on owning it, and the list of
                 users may have changed since it was made.
    Raises:      EmbeddedPostgresError if we are root and there is nobody to drop to.
    """
    if os.geteuid() != 0:
        return None
    return _owner_of(data_folder) or _first_candidate()


def worker_user(data_folder: Path, name: str = "") -> UnprivilegedUser | None:
    """The user whom processes of ours become; None means that they stay who they are, because we are not root.

    data_folder: of the cluster, which need not exist.
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
    """Give root up for good; what is open stays open. The kernel then also keeps others of `user` out of our memory.

    death_signal: to be sent to us when our parent dies: a change of user clears what was set before.
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
