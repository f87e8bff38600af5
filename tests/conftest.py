"""One real PostgreSQL per test run, shared by the xdist workers; one database per test."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rigs.databases import Database, TestServer

_server = pytest.StashKey[TestServer]()


def pytest_configure(config: pytest.Config) -> None:
    """The controller owns the server: workers come and go, and PostgreSQL lives as long as its parent."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[_server] = TestServer()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["server_dsn"] = node.config.stash[_server].dsn


def pytest_unconfigure(config: pytest.Config) -> None:
    if _server in config.stash:
        config.stash[_server].stop()


@pytest.fixture(scope="session")
def server_dsn(request: pytest.FixtureRequest) -> str:
    worker_input = getattr(request.config, "workerinput", None)
    return worker_input["server_dsn"] if worker_input else request.config.stash[_server].dsn


@pytest.fixture
def database(server_dsn: str) -> Iterator[Database]:
    """A migrated, empty database of this test's own."""
    fresh = Database(server_dsn)
    yield fresh
    fresh.drop()
