"""P1, P4: kill -9 of a writing process: whatever a caller was told is in the log, once; the chain is sound."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from uuid import UUID

from tests.domain.credit_words import grant
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import assert_sound, chance, credit, credit_of, running

CYCLES = int(os.environ.get("STORE_CYCLES", "5"))
ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = ("hot", "a", "b")
LOT_NUSD = 10**9
READY_S = 30.0


class Writer:
    """A process of its own, and what it has acknowledged."""

    def __init__(self, database: Database, name: str, *accounts: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rigs.faults.append_process", database.writer, name, *accounts],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self._told = b""

    def wait_until_it_writes(self) -> None:
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        deadline_s = time.monotonic() + READY_S
        while not self.read():
            assert self._process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.005)

    def read(self) -> bytes:
        assert self._process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._process.stdout.fileno(), 65_536):
                self._told += chunk
        return self._told

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self.read()

    def close(self) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def acknowledged(self) -> list[tuple[UUID, int, int]]:
        lines = [line.split() for line in self._told.decode().splitlines()]
        return [(UUID(command_id), int(position), int(cost)) for command_id, position, cost in lines]


def cycle(database: Database, random: Random, number: int) -> list[tuple[UUID, int, int]]:
    """Two processes write; one is killed while the other goes on for a moment, then that too."""
    writers = [Writer(database, f"{number}-{i}", "hot", ACCOUNTS[1 + i]) for i in range(2)]
    try:
        for writer in writers:
            writer.wait_until_it_writes()
        time.sleep(random.random() * 0.4)
        victim = random.randint(0, 1)
        writers[victim].kill()
        told = len(writers[1 - victim].read())
        deadline_s = time.monotonic() + READY_S
        while len(writers[1 - victim].read()) < told + 2_000:  # it writes on, as if nothing had been
            assert time.monotonic() < deadline_s
            time.sleep(0.005)
    finally:
        for writer in writers:
            writer.close()
    return [entry for writer in writers for entry in writer.acknowledged()]


async def test_what_was_acknowledged_before_a_kill_is_in_the_log_once(database: Database) -> None:
    random = chance("kill -9")
    acknowledged: list[tuple[UUID, int, int]] = []
    async with running(database.writer) as ledger:
        for account in ACCOUNTS:
            await credit(ledger, account, grant("lot", LOT_NUSD))
    for number in range(CYCLES):
        acknowledged += await asyncio.to_thread(cycle, database, random, number)
        assert_sound(database)
    stored = Counter(
        (command_id, position)
        for command_id, position in database.sql("SELECT command_id, notification_id FROM ledger.stored_events")
    )
    assert len(acknowledged) > 50 * CYCLES
    assert [entry for entry in acknowledged if stored[entry[0], entry[1]] != 1] == []
    assert max(Counter(command_id for command_id, _ in stored).values()) == 1
    charged = sum(LOT_NUSD - credit_of(database, account).posted_nusd for account in ACCOUNTS)
    assert charged >= sum(cost for _, _, cost in acknowledged)
