"""One request, one key: whatever stands in front may have checked the other one."""

import pytest

from tests.adapters.http.house import House, error_of
from tests.adapters.http.raw import answer_of, everything, head
from tests.adapters.http.served import Served

PATHS = ("/v1/key", "/v1/chat/completions", "/admin/accounts/x")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "fields",
    [
        ("authorization: Bearer {key}", "authorization: Bearer other"),
        ("authorization: Bearer other", "authorization: Bearer {key}"),
        ("authorization: Bearer {key}", "x-api-key: other"),
        ("x-api-key: {key}", "x-api-key: other"),
    ],
)
def test_two_that_differ_are_refused(house: House, served: Served, path: str, fields: tuple[str, str]) -> None:
    method = "POST" if "chat" in path else "GET"
    answer = ask(served, house, method, path, *fields)
    assert answer[0] == 400
    assert error_of(answer[1])["code"] == "conflicting_credentials"


@pytest.mark.parametrize(
    "fields",
    [
        ("authorization: Bearer {key}", "authorization: bearer  {key} "),
        ("authorization: Bearer {key}", "x-api-key: {key}"),
        ("authorization: Basic b3RoZXI6", "x-api-key: {key}"),
        ("x-api-key:", "authorization: Bearer {key}"),
    ],
)
def test_two_that_are_equal_and_those_that_are_no_api_keys_count_once(
    house: House, served: Served, fields: tuple[str, str]
) -> None:
    assert ask(served, house, "GET", "/v1/key", *fields)[0] == 200


def ask(served: Served, house: House, method: str, path: str, *fields: str) -> tuple[int, bytes]:
    with served.connect() as connection:
        connection.sendall(head(method, path, *(field.format(key=house.key) for field in fields)))
        answer = answer_of(everything(connection))
    return answer.status, answer.body
