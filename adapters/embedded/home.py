"""The folder that holds everything of one embedded Postgres, and whether its user can enter it.

pgdata/       the cluster, 0700            pg.password    the superuser's, 0600
run/          the unix socket, 0700        pg.lock        held by the supervisor, names its pid
pgbin-*/      copied binaries, if needed   pg.json        port wish, socket folder, supervisor
unfinished-*  being made, or left over     postgres.log   and postgres.log.1
"""

import os
import time
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.errors import EmbeddedPostgresError, HomeUnreachable
from adapters.embedded.unprivileged import UnprivilegedUser, server_user

# Others may pass through to what is theirs but not list; pg.password and the like are closed by their own modes.
PASSABLE_MODE = 0o711
PRIVATE_MODE = 0o700
# Another process may have made a folder a moment ago and be about to open it.
SECOND_LOOK_AFTER_S = 0.1


def unprivileged_user_can_reach(path: Path) -> bool:
    """True if Postgres could work in `path`, a home that exists or could be made: for choosing a home when root.

    Looks at the nearest folder that exists. Always True when we are not root: Postgres then runs as ourselves.
    """
    try:
        return can_reach(path, server_user(path / "pgdata"))
    except EmbeddedPostgresError:  # root, and nobody to drop to
        return False


def prepare_home(home: Path, user: UnprivilegedUser | None) -> None:
    """Make `home` if it is missing. Folders that exist keep their modes: a private parent is never opened.

    Raises: HomeUnreachable, EmbeddedPostgresError if it cannot be made; nothing is left behind by the first.
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
    """Make `folder` (or take the one that is there) and give it to the server alone: 0700, owned by `user`."""
    folder.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    folder.chmod(PRIVATE_MODE)
    if user:
        os.chown(folder, user.uid, user.gid)


def _make_passable(folder: Path, user: UnprivilegedUser | None) -> None:
    """mkdir; open to `user` what we made ourselves, also under umask 077."""
    try:
        folder.mkdir(mode=PASSABLE_MODE if user else PRIVATE_MODE)
    except FileExistsError:  # several processes start at once; its maker opens it
        return
    if user:
        folder.chmod(PASSABLE_MODE)


def can_reach(path: Path, user: UnprivilegedUser | None) -> bool:
    """Ask the kernel as that user: modes, ACLs and mounts all count."""
    if user is None:
        return True
    absolute = path.absolute()
    nearest = next(folder for folder in (absolute, *absolute.parents) if folder.exists())
    exit_code, _ = child.ask(["/bin/sh", "-c", 'cd "$0"', nearest], user)
    return exit_code == 0


def _can_reach_at_second_look(path: Path, user: UnprivilegedUser | None) -> bool:
    time.sleep(SECOND_LOOK_AFTER_S)
    return can_reach(path, user)
