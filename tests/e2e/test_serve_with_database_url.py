"""P9: the same code on a cluster: with DATABASE_URL no server is started, and each process runs by itself."""

import base64
import contextlib
import json
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.embedded.sandbox.serve import running_sandbox
from domain.api_key.secret_form import write_secret
from tests.rigs.installation.installation import GATEWAYZ, Installation, eventually, installation
from tests.rigs.knocking import knocking
from tests.rigs.running import free_port


@pytest.fixture
def cluster(database_url: str) -> Iterator[Installation]:
    """Secrets come from the environment, as containers have them: no process finds a file of another."""
    with installation() as made:
        made.settings |= {
            "DATABASE_URL": database_url,
            "GATEWAYZ_PEPPER": secrets.token_urlsafe(32),
            "GATEWAYZ_KEYRING": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "GATEWAYZ_DERIVATION_SECRET": secrets.token_urlsafe(32),
            "GATEWAYZ_PORT": str(free_port()),
        }
        yield made


OWNERS_ALONE = ("GATEWAYZ_DERIVATION_SECRET",)
APIS_ALONE = ("GATEWAYZ_PEPPER", "GATEWAYZ_KEYRING")


def environment_of(cluster: Installation, process: str) -> dict[str, str]:
    """As its container has it: its own login, its own secrets."""
    own = {"DATABASE_URL": database_url_of(cluster, process)}
    left_out: tuple[str, ...] = OWNERS_ALONE
    if process == "projector":
        own["GATEWAYZ_WRITER_URL"] = database_url_of(cluster, "api")
        left_out += APIS_ALONE
    return {**{name: value for name, value in cluster.environment.items() if name not in left_out}, **own}


def database_url_of(cluster: Installation, process: str) -> str:
    file = cluster.home.parent / f"{process}.url"
    if not file.exists():
        verb(cluster, "database-url", process, "--to", str(file))
    return file.read_text().strip()


@contextlib.contextmanager
def running(cluster: Installation, verb: str) -> Iterator[int]:
    """Its pid."""
    process = subprocess.Popen([*GATEWAYZ, verb], env=environment_of(cluster, verb), start_new_session=True)
    try:
        yield process.pid
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


def ready(cluster: Installation) -> dict[str, bool]:
    with urllib.request.urlopen(url(cluster) + "/ready") as answer:
        return {check["name"]: check["passed"] for check in json.load(answer)["checks"]}


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
    done = cluster.command("account", "show", "carol", GATEWAYZ_PEPPER=secrets.token_urlsafe(32))
    assert done.returncode == 1
    assert "was made with other secrets" in done.stderr


def test_p9_api_and_projector_run_apart_and_every_verb_reaches_their_database(cluster: Installation) -> None:
    verb(cluster, "migrate")
    with running_sandbox() as sandbox_url:
        cluster.settings["GATEWAYZ_SANDBOX_URL"] = sandbox_url
        with running(cluster, "projector"), running(cluster, "api"):
            eventually(lambda: is_ready(cluster), within_s=60)
            assert ready(cluster)["database roles are separate"]
            account = verb(cluster, "account", "create", "carol", "carol@example.com")
            _, key = verb(cluster, "key", "issue", "carol", "--label", "cluster").splitlines()
            verb(cluster, "grant", account, "1.5", "--reason", "credit for the cluster", "--kind", "purchased")
            usage = chat(cluster, key)
            statement = json.loads(verb(cluster, "statement", "carol", "--json"))
            assert [lot["source"] for lot in statement["lots"]] == ["operator"]
            assert statement["credits"]["settled_nusd"] == round(float(str(usage["cost"])) * 10**9) > 0
            assert "clean" in verb(cluster, "verify")
            as_auditor = {"DATABASE_URL": database_url_of(cluster, "auditor")}
            assert "clean" in cluster.command("verify", **as_auditor).stdout


def test_p1_an_api_process_by_itself_answers_who_still_connects_when_it_stops(cluster: Installation) -> None:
    verb(cluster, "migrate")
    with running_sandbox() as sandbox_url, contextlib.ExitStack() as stack:
        cluster.settings["GATEWAYZ_SANDBOX_URL"] = sandbox_url
        with running(cluster, "api"):
            eventually(lambda: status_of(cluster, "/health") == 200, within_s=60)
            met = stack.enter_context(knocking(("127.0.0.1", int(cluster.settings["GATEWAYZ_PORT"])), clients=8))
        assert met().keys() <= {"HTTP/1.1 401 Unauthorized", "HTTP/1.1 503 Service Unavailable", "refused"}
        assert met()["refused"] == 8


def test_p9_an_api_process_that_starts_before_the_first_projector_answers_as_documented(cluster: Installation) -> None:
    verb(cluster, "migrate")
    with running_sandbox() as sandbox_url:
        cluster.settings["GATEWAYZ_SANDBOX_URL"] = sandbox_url
        with running(cluster, "api"):
            eventually(lambda: status_of(cluster, "/health") == 200, within_s=60)
            unknown = write_secret("live", "x" * 43)
            assert status_of(cluster, "/v1/credits", unknown) == 401
            assert status_of(cluster, "/ready") == 503
            account = verb(cluster, "account", "create", "carol", "carol@example.com")
            _, key = verb(cluster, "key", "issue", account, "--label", "early").splitlines()
            verb(cluster, "grant", account, "1.5", "--reason", "credit for the cluster", "--kind", "purchased")
            assert chat(cluster, key)["cost"], "a request needs the log alone"
            assert status_of(cluster, "/v1/credits", key) == 503
            _, manager = verb(cluster, "key", "issue", account, "--label", "m", "--kind", "management").splitlines()
            status, issued = post(cluster, "/v1/keys", manager, {"name": "made early"})
            assert status == 201, "the secret is shown once: nothing that may fail comes between it and its owner"
            assert chat(cluster, str(issued["key"]))["cost"]
            refused, _ = post(cluster, f"/v1/keys/{issued['data']['hash']}/rotate", manager, {"grace_s": 0})
            assert refused == 503
            assert chat(cluster, str(issued["key"]))["cost"], "a refused rotation has replaced nothing"
            with running(cluster, "projector"):
                eventually(lambda: status_of(cluster, "/v1/credits", key) == 200, within_s=60)


def post(cluster: Installation, path: str, key: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url(cluster) + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def status_of(cluster: Installation, path: str, key: str = "") -> int:
    """0 while no process listens."""
    request = urllib.request.Request(url(cluster) + path, headers={"authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


@pytest.mark.parametrize("process", ["api", "projector"])
def test_p4_the_owner_s_login_is_refused_in_one_line_unless_one_role_is_asked_for(
    cluster: Installation, process: str
) -> None:
    verb(cluster, "migrate")
    done = cluster.command(process)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("gatewayz: DATABASE_URL of this process must log in as ")
    assert line.endswith(f"take what `gatewayz database-url {process}` prints, or set GATEWAYZ_ONE_ROLE=on")


def test_p4_one_role_is_told_by_ready_and_verify(cluster: Installation) -> None:
    cluster.settings["GATEWAYZ_ONE_ROLE"] = "on"
    verb(cluster, "migrate")
    as_one = {**cluster.environment}
    processes = [
        subprocess.Popen([*GATEWAYZ, name], env=as_one, start_new_session=True) for name in ("projector", "api")
    ]
    try:
        eventually(lambda: is_ready(cluster), within_s=60)
        assert not ready(cluster)["database roles are separate"]
        assert "one database role owns everything" in verb(cluster, "verify")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
