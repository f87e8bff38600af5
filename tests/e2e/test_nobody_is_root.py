"""P9: started as root, what parses strangers' bytes does not run as root; not as root, everything is who started it."""

import os
import shutil
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded.unprivileged import worker_user
from adapters.operator_error import OperatorError
from adapters.settings import read_settings
from adapters.wiring.processes.leave_root import worker_of
from tests.rigs.installation.installation import ROOT, Installation, installation

PROGRAMS = ("supervised api", "supervised projector", "embedded.sandbox")
IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with installation() as made:
        made.start()
        yield made


def uids_of(pid: int) -> list[int]:
    """Real, effective, saved, of the file system."""
    return _numbers(pid, "Uid:")


def groups_of(pid: int) -> list[int]:
    return _numbers(pid, "Groups:")


def _numbers(pid: int, name: str) -> list[int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return [int(word) for word in next(line for line in lines if line.startswith(name)).split()[1:]]


def test_p9_each_process_has_given_root_up_for_good(house: Installation) -> None:
    data = house.home / "postgres/pgdata"
    worker = worker_user(data)
    expected = worker.uid if worker else os.geteuid()
    for program in PROGRAMS:
        for pid in house.children(program):
            assert set(uids_of(pid)) == {expected}, program
            assert not IS_ROOT or groups_of(pid) == []
    if IS_ROOT:
        assert expected not in (0, data.stat().st_uid), "whom Postgres runs as may read the cluster's files"


def test_p9_the_home_stays_closed_to_them(house: Installation) -> None:
    """They are handed what they work with; nothing of the home is theirs but the metrics."""
    for name in ("secrets.json", "credentials.json", "postgres/pg.password"):
        status = (house.home / name).stat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (os.geteuid(), 0o600), name
    assert (house.home / "run/metrics").stat().st_uid == uids_of(house.children("supervised api")[0])[0]
    assert house.chat()["usage"]["cost"] > 0
    assert "clean" in house.command("verify").stdout


@pytest.mark.parametrize("where", ["a private clone", "a private home"])
def test_p9_root_s_private_folders_are_no_obstacle(where: str, database_url: str) -> None:
    """The code is loaded, and the settings are read, while a process is still root. Not as root it is the same test of
    another folder."""
    with installation() as house:
        private = house.home.parent / "private"
        private.mkdir(mode=0o700)
        if where == "a private clone":
            for name in ("adapters", "application", "domain", "projections", "migrations"):
                shutil.copytree(ROOT / name, private / name, ignore=shutil.ignore_patterns("__pycache__"))
            house.code = private
        else:
            house.home = private / "home"
            house.settings |= {"GATEWAYZ_HOME": str(house.home), "DATABASE_URL": database_url}
        house.start()
        assert house.chat()["usage"]["cost"] > 0
        assert house.chat(stream=False, model="sandbox/echo", max_tokens=5)["usage"]["cost"] > 0
        for path in ("/ready", "/metrics", "/openapi.json", "/v1/models", "/v1/credits", "/v1/key"):
            with urllib.request.urlopen(house.request(path)) as answer:
                assert answer.status == 200, path
        assert "clean" in house.command("verify").stdout


def test_p9_whom_they_become_is_a_setting() -> None:
    with installation(GATEWAYZ_RUN_AS="root") as house:
        house.start()
        assert set(uids_of(house.children("supervised api")[0])) == {os.geteuid()}


def test_p9_a_user_that_there_is_not_is_told(tmp_path: Path) -> None:
    settings = read_settings({"GATEWAYZ_HOME": str(tmp_path), "GATEWAYZ_RUN_AS": "no-such-user-here"})
    if IS_ROOT:
        with pytest.raises(OperatorError, match="GATEWAYZ_RUN_AS=no-such-user-here is no user of this machine"):
            worker_of(settings)
    else:
        assert worker_of(settings) is None
