"""P1: the disk is really full. A small tmpfs: root mounts it; anybody else does so in a user namespace of his own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIZE = "800m"
"""A cluster and its write-ahead log take half of it."""

SCENARIO = f"{sys.executable} -m tests.soak.disk_full"


def test_p1_on_a_full_disk_writes_are_503_reads_and_verify_go_on_and_it_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(0o711)  # PostgreSQL's unprivileged user must pass through
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
