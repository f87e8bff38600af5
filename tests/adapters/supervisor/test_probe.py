"""Asking our own API, whatever proxies the environment names."""

import http.server
import threading
from pathlib import Path

import pytest

from adapters.supervisor.probe import Probe
from tests.rigs.running import free_port

ADAPTERS = Path(__file__).parents[3] / "adapters"


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_probe_asks_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        assert Probe(f"http://127.0.0.1:{server.server_port}/ready").is_ready()
        thread.join(5)


def test_nothing_opens_an_address_by_another_way() -> None:
    """urllib takes proxies from the environment unless told otherwise, in one place."""
    found = [path.name for path in ADAPTERS.rglob("*.py") if "urllib.request" in path.read_text()]
    assert found == ["direct.py"]
