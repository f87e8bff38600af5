"""P2: credit is a hard cap, on two API processes, streams mixed in."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.rigs.installation.clients import ask_all
from tests.rigs.installation.log_facts import read_facts
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway

SEED = 20_261_122


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    with own_provider(SEED) as started:
        yield started


@pytest.fixture(scope="module")
def running(provider: ProviderProcess) -> Iterator[Gateway]:
    print(f"seed {SEED}")
    with gateway(provider.url, workers=2) as started:
        yield started


def test_p2_credit_for_k_of_500_parallel_requests_answers_exactly_k(
    running: Gateway, provider: ProviderProcess
) -> None:
    affordable = 137
    account, key = running.account_with_key("racer", usd=f"{affordable / 100:.2f}")
    markers = [f"per-request {n}" for n in range(500)]
    seen = asyncio.run(ask_all(running.port, key, "test/per-request", markers))
    assert sum(s.whole for s in seen) == affordable
    assert {(s.status, s.error_code) for s in seen if not s.whole} == {(402, "insufficient_credits")}
    facts = read_facts(running.dsn())
    mine = {s.generation_id.removeprefix("gen-"): s.paid_nusd for s in seen if s.generation_id}
    assert {reservation: facts.settled[reservation] for reservation in mine} == mine
    assert sum(cost or 0 for cost in mine.values()) == affordable * 10_000_000
    assert facts.lowest_available[f"credit-{account}"] == 0
    answered = [marker for marker in provider.served() if marker.startswith("per-request ")]
    assert len(answered) == affordable  # nobody was served and then refused


def test_p2_with_clamping_settled_is_what_the_provider_counted_and_within_credit(
    running: Gateway, provider: ProviderProcess
) -> None:
    credit_nusd = 2_000_000
    account, key = running.account_with_key("clamped", usd="0.002")
    markers = [f"tokens {n}" for n in range(300)]
    seen = asyncio.run(ask_all(running.port, key, "test/tokens", markers, max_tokens=400))
    assert {(s.status, s.error_code) for s in seen if not s.whole} <= {(402, "insufficient_credits")}
    whole = [s for s in seen if s.whole]
    assert whole, "some must have been affordable"
    counted = provider.served()
    for s in whole:
        ((prompt, completion),) = counted[s.marker]
        assert s.paid_nusd == prompt * 150 + completion * 600, s.marker
    facts = read_facts(running.dsn())
    settled = sum(facts.settled[s.generation_id.removeprefix("gen-")] for s in whole if s.generation_id)
    assert settled == sum(s.paid_nusd or 0 for s in whole) <= credit_nusd
    assert facts.lowest_available[f"credit-{account}"] == 0
    assert sum(marker.startswith("tokens ") for marker in counted) == len(whole)


def test_the_books_are_whole_after_the_race(running: Gateway) -> None:
    result = running.command("verify")
    assert result.returncode == 0, result.stdout + result.stderr
