"""Whatever a test of the store does to its log, the log must be sound afterwards (P4)."""

from collections.abc import Iterator

import pytest

from tests.rigs.postgres.ledgers import assert_sound


@pytest.fixture(autouse=True)
def sound_log(request: pytest.FixtureRequest) -> Iterator[None]:
    database = request.getfixturevalue("database") if "database" in request.fixturenames else None
    yield
    if database is not None:
        assert_sound(database)
