"""docs/reference/http-api.md is what the application says of itself: every route, key, shape and header."""

import re
from pathlib import Path

import httpx

from adapters.inbound.http.app import ALIAS
from adapters.inbound.http.routes.api import Api
from tests.adapters.http.documents.route_docs import rows_of
from tests.adapters.http.house import House

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs/reference/http-api.md").read_text()


def test_every_route_has_a_row_that_is_right_and_there_is_no_other() -> None:
    api = House().app._api
    assert isinstance(api, Api)
    expected = list(rows_of(api.openapi()))
    told = re.findall(r"^(\| `[A-Z]+ /.*?` \| .*? \| .*? \|)", TEXT, re.MULTILINE)
    assert sorted(told) == sorted(expected)


def test_every_header_of_ours_is_told_and_there_is_no_other() -> None:
    source = "".join(path.read_text() for path in (ROOT / "adapters/inbound/http").rglob("*.py"))
    sent = set(re.findall(r"\"(x-gatewayz-[a-z-]+|x-generation-id)\"", source))
    assert set(re.findall(r"^\| `(x-[a-z-]+)` \| ", TEXT.lower(), re.MULTILINE)) - {"x-title"} == sent


def test_the_alias_is_told(stranger: httpx.Client) -> None:
    assert f"again under `{ALIAS}/v1`" in TEXT
    assert stranger.get(f"{ALIAS}/v1/models").status_code == 200
