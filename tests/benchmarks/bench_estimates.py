"""Counting tokens for an estimate: time in its thread, what the loop stands still meanwhile, and memory. Figures."""

import asyncio
import os
import time
from collections.abc import Mapping
from functools import partial
from statistics import median

import msgspec

from adapters.outbound.tokens.vocabulary import Vocabulary
from adapters.outbound.tokens.worker_counter import WorkerCounter
from application.generate.metering.billed_texts import prompt_text
from tests.benchmarks.cpu import of_process
from tests.rigs.processes import rss_kib

ROUNDS = 9


def bodies() -> Mapping[str, bytes]:
    texts = {
        "English, 1 KB": "The quick brown fox jumps. " * 40,
        "English, 256 KB": "The quick brown fox jumps. " * 9_700,
        "CJK, 256 KB": "機密文書の要約を作成してください。" * 5_100,
        "no blanks, 256 KB": "x" * 262_144,
        "blanks, 256 KB": " " * 262_144,
        "no blanks, 32 MB": "x" * 32_000_000,
    }
    return {
        name: msgspec.json.encode({"messages": [{"role": "user", "content": text}]}) for name, text in texts.items()
    }


async def measure() -> None:
    before = rss_kib(os.getpid())
    counter = WorkerCounter(Vocabulary())
    started = time.perf_counter()
    (_, stall) = await asyncio.gather(counter.count(lambda: "hello"), longest_stall_of(0.6))
    print(
        f"loading: stands still {stall * 1e3:.0f} ms, memory +{(rss_kib(os.getpid()) - before) / 1_024:.0f} MB", end=""
    )
    print(f" (all within {time.perf_counter() - started:.1f} s)")
    print(f"{'prompt':20} {'tokens':>10} {'ms':>7} {'CPU ms':>7} {'loop stands still, ms':>24}")
    for name, body in bodies().items():
        rounds = [await one(counter, body) for _ in range(ROUNDS)]
        tokens = rounds[0][0]
        seconds, cpu_s = median(each[1] for each in rounds), median(each[2] for each in rounds)
        stalls = max(each[3] for each in rounds)
        print(f"{name:20} {tokens:>10,} {seconds * 1e3:7.1f} {cpu_s * 1e3:7.1f} {stalls * 1e3:24.1f}")
    counter.close()


async def one(counter: WorkerCounter, body: bytes) -> tuple[int, float, float, float]:
    """Tokens, seconds, CPU seconds of the threads beside the loop's, the longest stall."""
    watching = asyncio.create_task(longest_stall_of(0.15))
    await asyncio.sleep(0.01)
    started, cpu_ns = time.perf_counter(), beside_the_loop_ns()
    counted = await counter.count(partial(prompt_text, body))
    taken, cpu_s = time.perf_counter() - started, (beside_the_loop_ns() - cpu_ns) / 1e9
    assert counted is not None
    return counted.tokens, taken, cpu_s, await watching


def beside_the_loop_ns() -> int:
    threads = of_process(os.getpid(), "")
    return sum(spent.ns for thread, spent in threads.items() if thread != os.getpid())


async def longest_stall_of(seconds: float) -> float:
    longest, last = 0.0, time.perf_counter()
    end = last + seconds
    while last < end:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest


def run() -> None:
    asyncio.run(measure())
