"""A failure says when the same call may succeed; one that repeating cannot cure says never."""

import pytest

from adapters.outbound.providers.http_chat_providers import HttpChatProviders
from application.ports.provider_failure import ProviderFailure
from tests.adapters.providers.call_words import a_call, an_endpoint
from tests.rigs.providers.canned_server import canned_server, http


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "is_worth_it"),
    [(401, False), (402, False), (403, False), (404, False), (408, False), (429, True), (500, True), (503, True)],
)
async def test_only_what_passes_by_itself_is_worth_repeating(status: int, is_worth_it: bool) -> None:
    async with canned_server(http(f"{status} X", b'{"error":{"message":"no"}}')) as server:
        providers = HttpChatProviders({"acme": an_endpoint(base_url=server.base_url)})
        with pytest.raises(ProviderFailure) as failed:
            await providers.complete(a_call())
        await providers.close()
    assert (failed.value.retry_after_s is not None) is is_worth_it
