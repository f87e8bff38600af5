"""P9: the same code on a cluster: with DATABASE_URL no server is started, and each process runs by itself."""

import base64
import contextlib
import json
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from adapters.embedded.sandbox.serve import running_sandbox
from tests.e2e.installation import GATEWAYZ, Installation, eventually, installation
from tests.running import free_port


@pytest.fixture
def cluster(database_url: str) -> Iterator[Installation]:
    """Secrets come from the environment, as containers have them: no process finds a file of another."""
    with installation() as made:
        made.settings |= {
            "DATABASE_URL": database_url,
            "GATEWAYZ_PEPPER": secrets.token_urlsafe(32),
            "GATEWAYZ_KEYRING": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "GATEWAYZ_PORT": str(free_port()),
        }
        yield made


@contextlib.contextmanager
def running(cluster: Installation, verb: str) -> Iterator[None]:
    process = subprocess.Popen([*GATEWAYZ, verb], env=cluster.environment, start_new_session=True)
    try:
        yield
        assert process.poll() is None, f"{verb} ended by itself with {process.returncode}"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def url(cluster: Installation) -> str:
    return f"http://127.0.0.1:{cluster.settings['GATEWAYZ_PORT']}"


def is_ready(cluster: Installation) -> bool:
    try:
        with urllib.request.urlopen(url(cluster) + "/ready") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def verb(cluster: Installation, *arguments: str) -> str:
    done = cluster.command(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def chat(cluster: Installation, key: str) -> dict[str, object]:
    body = {"model": "sandbox/echo", "messages": [{"role": "user", "content": "from a cluster"}]}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url(cluster) + "/v1/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer)["usage"])


def test_p9_before_migrate_each_process_says_what_to_do(cluster: Installation) -> None:
    done = cluster.command("projector")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"gatewayz: the database {cluster.settings['DATABASE_URL'].rpartition('@')[2]} has no ledger yet: "
        "run `gatewayz migrate`"
    ]


def test_p9_migrate_is_repeatable_and_claims_the_database_for_its_secrets(cluster: Installation) -> None:
    assert "applied 0001_ledger.sql" in verb(cluster, "migrate")
    assert verb(cluster, "migrate") == "nothing to apply"
    done = cluster.command("projector", GATEWAYZ_PEPPER=secrets.token_urlsafe(32))
    assert done.returncode == 1
    assert "was made with other secrets" in done.stderr


def test_p9_api_and_projector_run_apart_and_every_verb_reaches_their_database(cluster: Installation) -> None:
    verb(cluster, "migrate")
    with running_sandbox() as sandbox_url:
        cluster.settings["GATEWAYZ_SANDBOX_URL"] = sandbox_url
        with running(cluster, "projector"), running(cluster, "api"):
            eventually(lambda: is_ready(cluster), within_s=60)
            account = verb(cluster, "account", "create", "carol", "carol@example.com")
            _, key = verb(cluster, "key", "issue", "carol", "--label", "cluster").splitlines()
            verb(cluster, "grant", account, "1.5", "--reason", "credit for the cluster", "--kind", "purchased")
            usage = chat(cluster, key)
            statement = json.loads(verb(cluster, "statement", "carol", "--json"))
            assert [lot["source"] for lot in statement["lots"]] == ["operator"]
            assert statement["credits"]["settled_nusd"] == round(float(str(usage["cost"])) * 10**9) > 0
            assert "clean" in verb(cluster, "verify")
