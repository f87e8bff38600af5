"""P1, P2, P3, P6: a provider that answers anything brings about no fault of ours, and no charge that is not told."""

import pytest

from tests.rigs.faults.fuzz_provider import fuzz

SEED = 8
CASES = 2_000


def test_p1_a_provider_that_answers_anything_meets_no_fault_of_ours(capfd: pytest.CaptureFixture[str]) -> None:
    fuzz(SEED, CASES, capfd)
