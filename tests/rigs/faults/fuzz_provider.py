"""A running gateway against a provider that answers anything: what clients, log and memory must look like."""

import asyncio
import json
import random
import time
from collections import Counter
from typing import NamedTuple

import httpx
import pytest

from adapters.inbound.http.errors.table import TABLE
from adapters.outbound.providers.failures import ErrorClass
from tests.rigs.faults.oracle import wait_for_ends
from tests.rigs.faults_in_log import faults_in
from tests.rigs.installation.clients import nusd
from tests.rigs.processes import api_processes, peak_kib
from tests.rigs.running import PYTHON, Gateway, free_port, gateway, process

NEVER = {code for code, row in TABLE.items() if row.status == 500}
"""Faults of ours: no provider may bring one about."""

MODELS = ("test/tokens", "test/per-request")
PARALLEL = 16
WARM_UP = 200
MORE_MEMORY_KIB = 2 * 64 * 1024
"""Twice the budget of bodies in flight."""


class Met(NamedTuple):
    """What one client saw; `paid_nusd` is None if nothing was said to be charged."""

    status: int
    code: str | None
    generation_id: str
    paid_nusd: int | None


def fuzz(seed: int, cases: int, logged: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    print(f"seed {seed}, {cases} cases")
    port = free_port()
    with (
        process(PYTHON, "-m", "tests.rigs.providers.fuzzing_provider", str(port), str(seed), port=port),
        gateway(
            f"http://127.0.0.1:{port}/v1", GATEWAYZ_REQUEST_DEADLINE_S="3", GATEWAYZ_STREAM_DEADLINE_S="3"
        ) as house,
    ):
        _, key = house.account_with_key("fuzz")
        met = asyncio.run(ask_all(house, key, seed, range(WARM_UP)))
        before = peak_of(house)
        met += asyncio.run(ask_all(house, key, seed, range(WARM_UP, cases)))
        after = peak_of(house)
        _, err = logged.readouterr()
        assert not (found := faults_in(err)), found
        check_answers(met)
        verified = house.command("verify")
        facts = wait_for_ends(house.dsn())
    print(Counter((one.status, one.code) for one in met))
    print(
        f"{time.monotonic() - began:.0f} s; peak memory {before:,} KiB after {WARM_UP} cases, {after:,} KiB at the end"
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert after <= before + MORE_MEMORY_KIB, f"{before:,} -> {after:,} KiB"
    settled = {f"gen-{reservation}": cost for reservation, cost in facts.settled.items()}
    told = {one.generation_id: one.paid_nusd for one in met if one.paid_nusd is not None}
    assert told.items() <= settled.items(), sorted(told.items() - settled.items())[:5]
    assert settled.keys() == told.keys(), "a charge that its client was not told of"


def check_answers(met: list[Met]) -> None:
    """Every failure has a documented code; both ways of ending happened, or nothing was tried."""
    known = (TABLE.keys() - NEVER) | {one.value for one in ErrorClass}
    assert not [one for one in met if one.status != 200 and (one.code is None or one.code not in known)]
    assert not [one for one in met if one.code is not None and one.code not in known]
    whole = sum(one.status == 200 and one.code is None for one in met)
    assert len(met) * 0.2 < whole < len(met) * 0.95, f"{whole} of {len(met)} were answered"


async def ask_all(house: Gateway, key: str, seed: int, numbers: range) -> list[Met]:
    todo = iter(numbers)
    met: list[Met] = []
    headers = {"authorization": f"Bearer {key}"}
    base = f"http://127.0.0.1:{house.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60, trust_env=False) as client:

        async def ask_one_after_the_other() -> None:
            for number in todo:
                met.append(await ask(client, number, random.Random(f"{seed} asks {number}")))

        await asyncio.gather(*(ask_one_after_the_other() for _ in range(PARALLEL)))
    return met


async def ask(client: httpx.AsyncClient, number: int, dice: random.Random) -> Met:
    body = {
        "model": dice.choice(MODELS),
        "messages": [{"role": "user", "content": str(number)}],
        "max_tokens": 50,
        "n": dice.choice([1, 1, 1, 2, 3]),
        "stream": dice.random() < 0.6,
    }
    headers = {"idempotency-key": str(number)} if dice.random() < 0.2 else {}
    answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    generation_id = answer.headers.get("x-generation-id", "")
    if answer.headers["content-type"].startswith("application/json"):
        return seen(answer.status_code, generation_id, [json.loads(answer.content, parse_float=str, parse_int=str)])
    data = [event.removeprefix("data: ") for event in answer.text.split("\n\n") if event.startswith("data: ")]
    events = [json.loads(one, parse_float=str, parse_int=str) for one in data if one != "[DONE]"]
    is_whole = data[-1] == "[DONE]"
    assert is_whole != ("error" in events[-1]), f"case {number} ended neither well nor in an error"
    return seen(answer.status_code, generation_id, events)


def seen(status: int, generation_id: str, documents: list[dict[str, dict[str, str]]]) -> Met:
    error = documents[-1].get("error")
    usage = documents[-1].get("usage")
    return Met(status, error["code"] if error else None, generation_id, nusd(usage["cost"]) if usage else None)


def peak_of(house: Gateway) -> int:
    (pid,) = api_processes(house.supervisor.pid, 1)
    return peak_kib(pid)
