"""A bound on how long any answer but a generation's may take: the ledger itself waits for its database without one.

Generations have their own (reserve patience, deadlines): their settles must wait. Here whoever asked is told that the
ledger is out of reach; what was asked of it stays queued and may be recorded later, once, whoever repeats it (P5).
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import DomainError


class Patient:
    """Counts our own time only: neither while the client sends its body nor while it takes the answer."""

    def __init__(self, app: ASGIApp, patience_s: float) -> None:
        self._app = app
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises: DomainError ledger_unavailable."""
        loop = asyncio.get_running_loop()
        patience = asyncio.timeout(self._patience_s)

        async def receive_unhurried() -> Message:
            patience.reschedule(None)
            try:
                return await receive()
            finally:
                patience.reschedule(loop.time() + self._patience_s)

        async def send_unhurried(message: Message) -> None:
            patience.reschedule(None)
            await send(message)

        try:
            async with patience:
                await self._app(scope, receive_unhurried, send_unhurried)
        except TimeoutError:
            if not patience.expired():
                raise
            raise DomainError("ledger_unavailable", retry_after_s=1) from None
