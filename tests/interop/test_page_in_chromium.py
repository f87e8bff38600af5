"""A page of another origin, in a Chromium: it calls chat, reads what it cost, and is kept out of /admin."""

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.interop.client_programs import ENVIRONMENT
from tests.rigs.installation.installation import Installation

PATIENCE_S = 60.0
FLAGS = (
    "--headless",
    "--no-sandbox",  # as root, and where there are no user namespaces
    "--disable-gpu",
    "--disable-dev-shm-usage",  # of containers, which give it 64 MB
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
const {base, key, admin} = GIVEN;
const ask = async (path, secret, body) => {
  const headers = {authorization: `Bearer ${secret}`, "content-type": "application/json"};
  try {
    const sent = body ? {method: "POST", headers, body: JSON.stringify(body)} : {headers};
    const answer = await fetch(base + path, sent);
    return {status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text()};
  } catch (kept) {
    return {kept: kept.name};
  }
};
const chat = {model: "sandbox/echo", messages: [{role: "user", content: "Say hello"}]};
const came = {
  whole: await ask("/v1/chat/completions", key, chat),
  stream: await ask("/api/v1/chat/completions", key, {...chat, stream: true, stream_options: {include_usage: true}}),
  refused: await ask("/v1/chat/completions", "gw_live_unknown", chat),
  preflighted: await ask("/admin/accounts", admin),
};
await fetch("/came", {method: "POST", body: JSON.stringify(came)});
</script>"""


class PageServer(ThreadingHTTPServer):
    """Serves one page, and takes what the page posts."""

    daemon_threads = True

    def __init__(self, page: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.page = page
        self.came: queue.Queue[bytes] = queue.Queue()


class _Visit(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        self._answer(200, self.server.page)

    def do_POST(self) -> None:
        self.server.came.put(self.rfile.read(int(self.headers["content-length"])))
        self._answer(200, b"")

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def chromium(url: str) -> Iterator[None]:
    """Showing `url`, with a profile of its own."""
    program = ENVIRONMENT / "chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(program / "chromium"), *FLAGS, f"--user-data-dir={profile}", url]
        environment = {"LD_LIBRARY_PATH": str(program / "lib"), "HOME": profile}
        browser = subprocess.Popen(command, env=environment, cwd=Path(profile), stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            browser.terminate()
            browser.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def came(house: Installation) -> Any:
    """What the page's requests brought: status, readable headers and text of each, or the name of the error."""
    access = house.credentials
    given = {"base": access["base_url"], "key": access["demo_key"], "admin": access["admin_key"]}
    with PageServer(PAGE.replace("GIVEN", json.dumps(given)).encode()) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            with chromium(f"http://127.0.0.1:{server.server_port}/"):
                return json.loads(server.came.get(timeout=PATIENCE_S))
        finally:
            server.shutdown()
            serving.join()


def test_it_calls_chat_and_reads_the_cost(came: Any) -> None:
    answer = json.loads(came["whole"]["text"], parse_float=str)
    assert answer["choices"][0]["message"]["content"] == "Say hello"
    assert came["whole"]["headers"]["x-gatewayz-cost"] == answer["usage"]["cost"]
    assert came["whole"]["headers"]["x-generation-id"] == answer["id"]


def test_it_reads_a_stream_and_its_cost(came: Any) -> None:
    events = [line.removeprefix("data: ") for line in came["stream"]["text"].splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    assert json.loads(events[-2])["usage"]["cost"] > 0


def test_it_reads_why_it_was_refused(came: Any) -> None:
    assert came["refused"]["status"] == 401
    assert "unknown here" in json.loads(came["refused"]["text"])["error"]["message"]
    assert came["refused"]["headers"]["x-request-id"]


def test_it_is_kept_out_of_admin_even_with_the_admins_key(came: Any) -> None:
    assert came["preflighted"] == {"kept": "TypeError"}
