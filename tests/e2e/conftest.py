"""Fixtures of tests that run the whole product."""

from collections.abc import Iterator

import pytest

from tests.rigs.databases import empty_database


@pytest.fixture
def database_url(server_dsn: str) -> Iterator[str]:
    """An empty database of somebody's server."""
    with empty_database(server_dsn) as url:
        yield url
