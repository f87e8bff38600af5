"""The folder with all files of one embedded Postgres, and whether its user can enter it.

pgdata/       the cluster, 0700            pg.password    the superuser's, 0600
run/          the unix socket, 0700        pg.lock        held by the supervisor, names its pid
pgbin-*/      copied binaries, if needed   pg.json        port, socket folder, supervisor
unfinished-*  in progress, or left over    postgres.log   and postgres.log.1
"""

import os
import time
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.errors import EmbeddedPostgresError, HomeUnreachable
from adapters.embedded.unprivileged import UnprivilegedUser, server_user

# Other users may pass through to their own files but not list; pg.password and the like have private modes.
PASSABLE_MODE = 0o711
PRIVATE_MODE = 0o700
# Another process may have made a folder a moment ago and be about to change its mode.
SECOND_LOOK_AFTER_S = 0.1


def unprivileged_user_can_reach(path: Path) -> bool:
    """True if Postgres could work in `path`, a home that exists or could be made. Used to choose a home as root.

    Looks at the nearest folder that exists. Always True when we are not root: Postgres then runs as ourselves.
    """
    try:
        return can_reach(path, server_user(path / "pgdata"))
    except EmbeddedPostgresError:  # root, and no user to change to
        return False


def prepare_home(home: Path, user: UnprivilegedUser | None) -> None:
    """Make `home` if it is missing. Existing folders keep their modes: a private parent stays private.

    Raises: HomeUnreachable, before anything is made; EmbeddedPostgresError if the folder cannot be made.
    """
    if not can_reach(home, user) and not _can_reach_at_second_look(home, user):
        name = user.name if user else "this user"
        raise HomeUnreachable(
            f"Postgres runs as {name} because we are root, and {name} cannot enter {home}: "
            "choose a folder outside private ones (0700), or run Gatewayz as an ordinary user"
        )
    try:
        for folder in reversed([folder for folder in (home, *home.parents) if not folder.exists()]):
            _make_passable(folder, user)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"cannot make the folder {home}: {error.strerror}; choose another one, or set DATABASE_URL"
        ) from error


def own_folder(folder: Path, user: UnprivilegedUser | None) -> None:
    """Make `folder` if it is missing and give it to the server alone: 0700, owned by `user`."""
    folder.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    folder.chmod(PRIVATE_MODE)
    if user:
        os.chown(folder, user.uid, user.gid)


def _make_passable(folder: Path, user: UnprivilegedUser | None) -> None:
    """mkdir; let `user` pass through if we made it, also under umask 077."""
    try:
        folder.mkdir(mode=PASSABLE_MODE if user else PRIVATE_MODE)
    except FileExistsError:  # several processes start at once; the one that made it sets the mode
        return
    if user:
        folder.chmod(PASSABLE_MODE)


def can_reach(path: Path, user: UnprivilegedUser | None) -> bool:
    """Try it as that user: modes, ACLs and mounts all count."""
    if user is None:
        return True
    absolute = path.absolute()
    nearest = next(folder for folder in (absolute, *absolute.parents) if folder.exists())
    exit_code, _ = child.ask(["/bin/sh", "-c", 'cd "$0"', nearest], user)
    return exit_code == 0


def _can_reach_at_second_look(path: Path, user: UnprivilegedUser | None) -> bool:
    time.sleep(SECOND_LOOK_AFTER_S)
    return can_reach(path, user)
