"""Postgres refuses to run as root: which user it drops to."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.errors import EmbeddedPostgresError

# In order of preference: a user of its own where a distribution made one, else the one that every system has.
CANDIDATES = ("postgres", "nobody")


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


def _owner_of(folder: Path) -> UnprivilegedUser | None:
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    if status.st_uid == 0:
        return None
    return UnprivilegedUser(f"uid {status.st_uid}", status.st_uid, status.st_gid)


def _first_candidate() -> UnprivilegedUser:
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return UnprivilegedUser(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        f"Postgres refuses to run as root and none of the users {', '.join(CANDIDATES)} exists: "
        "run Gatewayz as an ordinary user, or set DATABASE_URL"
    )
