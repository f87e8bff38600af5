"""The lock files hold what pyproject.toml asks for: pinned, hashed, and from nowhere in particular."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-interop.lock", "requirements-docs.lock")
CLIENTS = ROOT / "tests" / "interop" / "clients"

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
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, extras = asked["project"], asked["project"]["optional-dependencies"]
    runtime, development, interop, docs = (names_of((ROOT / lock).read_text().splitlines()) for lock in LOCKS)
    assert names_of(project["dependencies"] + extras["build"]) <= runtime <= development
    assert names_of(extras["dev"]) <= development
    assert names_of(asked["dependency-groups"]["interop"]) <= interop
    assert names_of(asked["dependency-groups"]["docs"]) <= docs


def test_packages_from_npm_are_pinned_and_hashed_and_from_no_address() -> None:
    text = (CLIENTS / "package-lock.json").read_text()
    assert "://" not in text
    root, *packages = json.loads(text)["packages"].values()
    assert root["dependencies"] == json.loads((CLIENTS / "package.json").read_text())["dependencies"]
    for package in packages:
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
        assert "resolved" not in package


def test_the_page_on_clients_names_the_versions_that_are_locked() -> None:
    page = (ROOT / "docs" / "reference" / "clients.md").read_text()
    packages = json.loads((CLIENTS / "package-lock.json").read_text())["packages"]
    versions = [packages["node_modules/@openrouter/sdk"]["version"]]
    for lock, name in (
        ("requirements-dev.lock", "openrouter"),
        ("requirements-interop.lock", "pydantic-ai-slim"),
        ("requirements-interop.lock", "langchain-openrouter"),
        ("requirements-interop.lock", "litellm"),
    ):
        versions += re.findall(rf"^{name}==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    assert len(versions) == 5
    for version in versions:
        assert f" | {version} | " in page
