"""One installation for all outside clients: what one of them breaks, the next one finds broken."""

from collections.abc import Iterator

import pytest

from tests.e2e.installation import Installation, installation


@pytest.fixture(scope="session")
def house() -> Iterator[Installation]:
    with installation(GATEWAYZ_SANDBOX="on") as made:
        made.start()
        yield made
        verified = made.command("verify")
        assert verified.returncode == 0, verified.stdout
