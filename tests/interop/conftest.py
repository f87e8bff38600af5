"""One installation for all outside clients: what one of them breaks, the next one finds broken."""

from collections.abc import Callable, Iterator

import pytest

from tests.interop.client_programs import CLIENTS, SDKS, ClientProgram
from tests.rigs.installation.installation import Installation, installation


@pytest.fixture(scope="session")
def house() -> Iterator[Installation]:
    with installation(GATEWAYZ_SANDBOX="on") as made:
        made.start()
        yield made
        verified = made.command("verify")
        assert verified.returncode == 0, verified.stdout


@pytest.fixture(scope="session")
def program() -> Iterator[Callable[[str], ClientProgram]]:
    """A client's program by the client's name, started when first asked for."""
    started: dict[str, ClientProgram] = {}

    def of(name: str) -> ClientProgram:
        if name not in started:
            started[name] = ClientProgram(name)
        return started[name]

    yield of
    for one in started.values():
        one.end()


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, program: Callable[[str], ClientProgram]) -> ClientProgram:
    return program(request.param)


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest, program: Callable[[str], ClientProgram]) -> ClientProgram:
    return program(request.param)
