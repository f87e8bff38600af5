"""The tests' own provider in a process of its own, and what it remembers of its requests."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.rigs.running import PYTHON, free_port, process


class ProviderProcess(NamedTuple):
    port: int

    @property
    def url(self) -> str:
        """Where the gateway finds it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def served(self) -> dict[str, list[list[int]]]:
        """marker -> [prompt, completion] of each answer that it handed out whole."""
        return dict(self._remembers("served"))

    def calls(self) -> int:
        """Requests that it was ever sent."""
        return len(self._remembers("spans"))

    def inside(self) -> int:
        """Requests that it is answering now: between their reserve and their settle."""
        return int(self._remembers("inside"))

    def inside_throughout(self, from_s: float, to_s: float) -> int:
        """Requests that had come before `from_s` and had not left by `to_s`, on the monotonic clock."""
        spans = self._remembers("spans")
        return sum(entered < from_s and (left is None or left > to_s) for entered, left in spans)

    def _remembers(self, what: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_{what}", timeout=30) as answer:
            return json.load(answer)


@contextmanager
def own_provider(seed: int) -> Iterator[ProviderProcess]:
    port = free_port()
    with process(PYTHON, "-m", "tests.rigs.providers.own_provider", str(port), str(seed), port=port):
        yield ProviderProcess(port)
