"""One server for all tests here; a house of its own for each."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.adapters.http.house import ADMIN_KEY, House
from tests.adapters.http.served import Served


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.stop()


@pytest.fixture
def house(served: Served) -> House:
    house = House()
    served.app = house.app
    return house


@pytest.fixture
def http(house: House, served: Served) -> Iterator[httpx.Client]:
    """Speaks HTTP with the house's key."""
    with speaker(served, house.key) as client:
        yield client


@pytest.fixture
def admin(house: House, served: Served) -> Iterator[httpx.Client]:
    with speaker(served, ADMIN_KEY) as client:
        yield client


@pytest.fixture
def manager(house: House, served: Served) -> Iterator[httpx.Client]:
    """Speaks with a management key of the same account."""
    with speaker(served, house.new_key("manager", kind="management")) as client:
        yield client


@pytest.fixture
def stranger(house: House, served: Served) -> Iterator[httpx.Client]:
    """Speaks without any key."""
    with httpx.Client(base_url=served.url, timeout=10, verify=False) as client:  # noqa: S501 - see speaker
        yield client


def speaker(served: Served, key: str) -> httpx.Client:
    """Without TLS there is nothing to verify, and loading the certificates takes 50 ms."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=served.url, headers=headers, timeout=10, verify=False)  # noqa: S501


@pytest.fixture
def client(house: House, served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=house.key, max_retries=0, timeout=10) as client:
        yield client
