"""The lock files hold what pyproject.toml asks for: pinned, hashed, and from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")

_PIN = re.compile(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; .+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def names_of(requirements: list[str]) -> set[str]:
    named = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {found[0].lower().replace("_", "-") for found in named if found and found[0] != "gatewayz"}


@pytest.mark.parametrize("lock", LOCKS)
def test_each_line_is_a_pin_or_its_hash_and_no_address(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert _PIN.fullmatch(line) or _HASH.fullmatch(line), line


def test_what_is_asked_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    runtime, development = (names_of((ROOT / lock).read_text().splitlines()) for lock in LOCKS)
    assert names_of(project["dependencies"] + extras["build"]) <= runtime <= development
    assert names_of(extras["dev"]) <= development
