"""A bound on the time of any answer but a generation's: the ledger itself waits for its database without one.

Generations have their own bounds (reserve patience, deadlines): their settles must wait. Here the client gets
`ledger_unavailable`; its command stays queued and may be recorded later, once, even if it is repeated (P5).
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import DomainError


class Patient:
    """Counts only our own time, not the time in which the client sends its body or takes the answer."""

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
