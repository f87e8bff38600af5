"""Starting real processes for tests and benchmarks: the gateway as `gatewayz serve` runs it, and what it talks to."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from adapters.embedded.postgres import EmbeddedPostgres

PYTHON = sys.executable
ROOT = Path(__file__).parents[2]
THIS_TREE = {"PYTHONPATH": str(ROOT)}
"""`serve` starts its children from the installation; for a copy of the tree (sabotage) that is another tree."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def spawn(*command: str, **env: str) -> subprocess.Popen[bytes]:
    """In a session of its own, so that what is aimed at it hits nobody else."""
    environment = {**os.environ, **THIS_TREE, **env}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


def stop(child: subprocess.Popen[bytes], patience_s: float = 60.0) -> None:
    if child.poll() is None:
        child.terminate()
        child.wait(patience_s)


@contextlib.contextmanager
def process(*command: str, port: int, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run until the block ends; enters when `port` accepts connections."""
    child = spawn(*command, **env)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise RuntimeError(f"{command} ended with {child.returncode}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.02)
        yield child
    finally:
        stop(child)


SERVE = (PYTHON, "-m", "adapters.wiring", "serve")


class Gateway(NamedTuple):
    """A running gateway. `environment` is what its own command line needs to find it."""

    port: int
    home: Path
    environment: dict[str, str]
    supervisor: subprocess.Popen[bytes]

    @property
    def admin_key(self) -> str:
        return str(json.loads((self.home / "credentials.json").read_text())["admin_key"])

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a `gatewayz` verb against this instance."""
        return subprocess.run(
            [*SERVE[:-1], *arguments],
            env={**os.environ, **THIS_TREE, **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def dsn(self) -> str:
        """The embedded database's owner, for tests that look into the log themselves."""
        dsn = EmbeddedPostgres(self.home / "postgres").attach()
        assert dsn is not None, "the embedded PostgreSQL is not up"
        return dsn.rsplit("/", 1)[0] + "/gatewayz"

    def call(self, path: str, body: object, key: str = "") -> dict[str, str]:
        """POST with the admin's key, or another; an error status raises."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {key or self.admin_key}"},
        )
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def account_with_key(self, name: str, usd: str = "1000000") -> tuple[str, str]:
        """A new account with plenty of credit: (account id, key)."""
        account = self.call("/admin/accounts", {"username": name, "email": f"{name}@example.com"})["account_id"]
        key = self.call(f"/admin/accounts/{account}/keys", {"label": "test", "environment": "live"})["api_key"]
        grant = {"amount_usd": usd, "kind": "purchased", "reason": "credit for a test run"}
        self.call(f"/admin/accounts/{account}/grants", grant)
        return account, key


WITHOUT_SHARES = {
    "GATEWAYZ_CONCURRENCY_PER_ACCOUNT": "0",
    "GATEWAYZ_PROVIDER_SHARE": "1",
    "GATEWAYZ_FAILED_AUTH_PER_MINUTE": "0",
    "GATEWAYZ_KEYS_PER_HOUR": "0",
    "GATEWAYZ_UNPAID_WORK_USD": "1000000",
}
"""One account and one address stand for many here: load and faults are aimed at what lies behind the shares."""

PROVIDERS = """
[providers.test]
base_url = "{url}"
api_key = "none"
[[providers.test.models]]
id = "test/tokens"
native_id = "tokens"
price = {{ input = "0.15", output = "0.60" }}
context_length = 128000
max_output_tokens = 4096
[[providers.test.models]]
id = "test/per-request"
native_id = "per-request"
price = {{ request = "0.01" }}
context_length = 128000
max_output_tokens = 4096
"""


@contextlib.contextmanager
def gateway(provider_url: str, workers: int = 1, inside: Path | None = None, **settings: str) -> Iterator[Gateway]:
    """`gatewayz serve` on an empty home, fsync on, projector running, selling `provider_url` as test/tokens (0.15 and
    0.60 USD per million) and test/per-request (0.01 USD each). The home is made in the folder `inside`, if given."""
    folder = Path(tempfile.mkdtemp(prefix="gatewayz-run-", dir=inside))
    folder.chmod(0o711)  # PostgreSQL's unprivileged user must pass through
    providers = folder / "providers.toml"
    providers.write_text(PROVIDERS.format(url=provider_url))
    home = folder / "home"
    port = free_port()
    environment = {
        "GATEWAYZ_HOME": str(home),
        "GATEWAYZ_PORT": str(port),
        "GATEWAYZ_WORKERS": str(workers),
        "GATEWAYZ_PROVIDERS_FILE": str(providers),
        "GATEWAYZ_SANDBOX": "off",
        **WITHOUT_SHARES,
        **settings,
    }
    try:
        with process(*SERVE, port=port, **environment) as supervisor:
            wait_until_ready(port)
            wait_for_file(home / "credentials.json")  # written last: the demo account is opened through the running API
            yield Gateway(port, home, environment, supervisor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def start_again(stopped: Gateway, tree: Path) -> Iterator[Gateway]:
    """`gatewayz serve` on the home and port of one that was stopped, from the code in `tree`."""
    environment = {**stopped.environment, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}  # not from where we are
    with process(*SERVE, port=stopped.port, **environment) as supervisor:
        wait_until_ready(stopped.port)
        yield stopped._replace(environment=environment, supervisor=supervisor)


def wait_until_ready(port: int, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready").close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"the gateway on port {port} does not become ready")


def wait_for_file(path: Path, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} does not appear")
        time.sleep(0.02)
