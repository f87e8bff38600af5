"""Every port is named by one suite, whose tests run against a fake and a real adapter."""

import inspect
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROOMS = ("application/ports", "application/reads", "projections/engine")

NO_FAKE = {
    "Ids": "the real one is a line of the standard library: tests that want no chance seed their own",
    "Reader": "queries are SQL, which only PostgreSQL understands: the fakes of the reads answer in its place",
}
"""Ports without a fake, because no test needs one -> why."""


def modules_in(room: str) -> Iterator[ModuleType]:
    for file in sorted((ROOT / room).glob("*.py")):
        yield import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


PORTS = [
    kind
    for room in ROOMS
    for module in modules_in(room)
    for kind in vars(module).values()
    if getattr(kind, "_is_protocol", False) and kind.__module__ == module.__name__
]
FOLDERS = ("tests/contracts", "tests/contracts/reads")
SUITES = [module for folder in FOLDERS for module in modules_in(folder) if hasattr(module, "PORT")]


def test_each_port_has_one_suite() -> None:
    assert len(PORTS) > 15
    assert Counter(suite.PORT for suite in SUITES) == Counter(PORTS)


@pytest.fixture(scope="module")
def collected() -> str:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(HERE)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.PORT.__name__)
def test_a_suite_runs_against_a_fake_and_a_real_adapter(suite: ModuleType, collected: str) -> None:
    name = suite.__name__.replace(".", "/") + ".py"
    ran = [line.partition("[")[2] for line in collected.splitlines() if line.startswith(f"{name}::")]
    homes = set()
    for subject, made_by in suite.SUBJECTS.items():
        assert any(ids.startswith(subject) for ids in ran), f"no test of {name} runs with {subject}"
        homes.add("fake" if module_of(made_by).startswith(("tests.fakes", "domain")) else "real")
    assert homes == ({"real"} if suite.PORT.__name__ in NO_FAKE else {"fake", "real"})


def module_of(made_by: object) -> str:
    """Where a subject is from: a class, or what a function of the suite returns."""
    returned = made_by if isinstance(made_by, type) else get_type_hints(made_by)["return"]
    assert inspect.isclass(returned)
    return returned.__module__


def test_only_ports_without_a_fake_are_excused() -> None:
    assert set(NO_FAKE) <= {port.__name__ for port in PORTS}
