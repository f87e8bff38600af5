"""A pytest plugin for .ci/run: write every test that a run left out to a file, as "<why> <test>", one a line.

It counts where the test ran: under xdist a deselection happens in the workers and never reaches the summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest


class LeftOut:
    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            self._write("deselected", item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._write("skipped", report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "wasxfail"):
            self._write("xfailed" if report.skipped else "xpassed", report.nodeid)
        elif report.skipped:
            self._write("skipped", report.nodeid)

    def _write(self, why: str, nodeid: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{why} {nodeid}\n")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--left-out-to", type=Path, required=False, help="file that takes the tests left out")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--left-out-to")
    if path:
        config.pluginmanager.register(LeftOut(path))
