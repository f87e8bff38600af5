"""P1, P4: read models get a next version while requests come, and the projector is killed while it builds them."""

from pathlib import Path

from tests.rigs.databases import empty_database
from tests.rigs.faults.raised_version import RAISED, raise_under_load

SEED = 91
EVENTS = 10_000
RATE_PER_S = 20.0


def test_p4_a_raised_version_under_load_fails_no_request_and_ends_the_same(server_dsn: str, tmp_path: Path) -> None:
    """No read and no generation is refused, the old builds serve until the new ones do, and verify, which replays the
    log against both, is clean."""
    with empty_database(server_dsn) as dsn:
        outcome = raise_under_load(dsn, tmp_path, SEED, EVENTS, RATE_PER_S)
    print(f"  {outcome}")
    assert [(load.errors, load.dropped) for load in outcome.loads] == [(0, 0)] * len(outcome.loads)
    standing = outcome.report["standing"]
    builds = {(model["name"], model["is_active"]) for model in standing["read_models"]}  # type: ignore[index]
    assert {(name, is_active) for name in RAISED for is_active in (True, False)} <= builds
