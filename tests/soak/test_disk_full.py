"""P1: the disk is really full. A small tmpfs: root mounts it; anybody else does so in a user namespace of his own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIZE = "800m"
"""A cluster and its write-ahead log take half of it."""

SCENARIO = f"{sys.executable} -m tests.soak.disk_full"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL's unprivileged user can pass through; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="gatewayz-small-"))
    made.chmod(0o711)
    yield made
    made.rmdir()


def test_p1_on_a_full_disk_writes_are_503_reads_and_verify_go_on_and_it_resumes(folder: Path) -> None:
    mount = f"mount -t tmpfs -o size={SIZE},mode=1777 small {folder}"
    if os.getuid() == 0:
        command = ["unshare", "-m", "sh", "-c", f"{mount} && exec {SCENARIO} {folder}"]
    else:  # root of the namespace for the mount alone: PostgreSQL does not run as root
        as_ourselves = f"unshare -U --map-user={os.getuid()} --map-group={os.getgid()}"
        command = ["unshare", "-rm", "sh", "-c", f"{mount} && exec {as_ourselves} {SCENARIO} {folder}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    print(done.stdout[-3_000:])
    if done.returncode:
        pytest.fail(done.stderr[-5_000:])
