"""One turn of the expiry loop: the leading process expires open reservations and lots that are due."""

from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

EVERY_S = 1.0
"""The credit of a lapsed reservation is available again within about this time."""


class ExpiryTurn:
    def __init__(self, expire_due: Callable[[], Awaitable[int]], leads: Callable[[], Awaitable[bool]]) -> None:
        self._expire_due = expire_due
        self._leads = leads

    async def __call__(self) -> None:
        if await self._leads() and (expired := await self._expire_due()):
            log.info("expired", count=expired)
