"""P1, P2, P3, P6: fifty thousand answers of a provider that answers anything."""

import pytest

from tests.rigs.faults.fuzz_provider import fuzz

SEED = 80
CASES = 50_000


def test_p1_fifty_thousand_answers_of_a_provider_that_answers_anything(capfd: pytest.CaptureFixture[str]) -> None:
    fuzz(SEED, CASES, capfd)
