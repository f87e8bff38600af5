"""Every row of the error table reaches every client of OpenRouter's as an error with its status and its sentence."""

from collections.abc import Iterator

import pytest

from adapters.inbound.http.errors.table import TABLE, answer_to
from domain.errors import DomainError
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.interop.client_programs import ClientProgram, Refused


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.stop()


def test_status_and_sentence_of_every_code(client: ClientProgram, served: Served) -> None:
    house = House()
    served.app = house.app
    lost = {}
    for code, row in TABLE.items():
        house.providers.answers[MODEL] = DomainError(code)
        with pytest.raises(Refused) as refused:
            client.do("chat", url=f"{served.url}/api/v1", key=house.key, model=MODEL, words="hi")
        sentence = answer_to(DomainError(code)).detail.message
        if not refused.value.says(row.status, sentence):
            lost[code] = str(refused.value)
    assert not lost
