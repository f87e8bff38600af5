"""A provider's stream, read to its end."""

from collections.abc import Sequence

from application.ports.chat_providers import ChatCall, ChatProviders
from application.ports.provider_answer import Chunk


async def batches_of(providers: ChatProviders, call: ChatCall) -> list[Sequence[Chunk]]:
    """Raises: ProviderFailure."""
    stream = await providers.stream(call)
    try:
        batches: list[Sequence[Chunk]] = []
        while (batch := await stream.next()) is not None:
            batches.append(batch)
        return batches
    finally:
        stream.close()
