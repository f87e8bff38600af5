"""What projections.engine.reader promises."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.outbound.postgres.read.ask_builds import PoolReader
from projections.engine.reader import Reader
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of

PORT = Reader
SUBJECTS = {"postgres": PoolReader}


@pytest.fixture
async def reader(subject: str, database: Database) -> AsyncIterator[Reader]:
    async with pool_of(database) as pool:
        yield SUBJECTS[subject](pool)


async def test_parameters_are_numbered_and_rows_are_tuples(reader: Reader) -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    rows = await reader.rows("SELECT $2::text, n, $1::timestamptz FROM generate_series(1, 2) n", [at, "x"])
    assert list(rows) == [("x", 1, at), ("x", 2, at)]
    assert list(await reader.rows("SELECT 1 WHERE false")) == []


async def test_json_arrives_as_text_where_the_query_says_so(reader: Reader) -> None:
    assert list(await reader.rows("SELECT '[1]'::json::text")) == [("[1]",)]
