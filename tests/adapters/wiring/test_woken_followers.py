"""Readiness says whether appends wake the projector; where they do not, it polls, and that costs."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.inbound.http.gateway import Check
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.wiring.compose import readiness
from adapters.wiring.compose.readiness import WOKEN, ReadinessChecks
from tests.rigs.databases import Database


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[PoolReader]:
    async with AsyncConnectionPool(database.writer, open=False, kwargs={"autocommit": True}) as pool:
        yield PoolReader(pool)


async def woken(checks: ReadinessChecks) -> Check:
    return next(check for check in await checks() if check.name == WOKEN)


async def test_it_is_asked_once_a_minute_and_informs_only(reader: PoolReader, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    arrive = False

    def notifications_arrive() -> bool:
        nonlocal asked
        asked += 1
        return arrive

    checks = ReadinessChecks(reader, dict, notifications_arrive, has_roles=True)
    for _ in range(3):
        check = await woken(checks)
        assert (check.passed, check.required) == (False, False)
        assert "pooler" in check.detail
    assert asked == 1
    arrive = True
    monkeypatch.setattr(readiness, "LISTEN_AGAIN_S", 0.0)
    check = await woken(checks)
    assert (check.passed, check.detail, asked) == (True, "", 2)


async def test_a_database_that_is_away_is_asked_again(reader: PoolReader) -> None:
    answers: list[Exception | bool] = [psycopg.OperationalError("away"), True]

    def notifications_arrive() -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    checks = ReadinessChecks(reader, dict, notifications_arrive, has_roles=True)
    assert [(await woken(checks)).passed for _ in range(3)] == [False, True, True]
