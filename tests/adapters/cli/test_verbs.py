"""Verbs and flags: what is asked of the actions, what is printed, how it exits."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from adapters.inbound.cli.app import build_cli
from adapters.inbound.cli.render.banner import banner
from adapters.operator_error import OperatorError
from adapters.version import VERSION
from application.accounts.change_account_state import ChangeAccountState
from application.credit.grant_credit import GrantCredit
from application.credit.show_statement import ShowStatement
from application.keys.issue_key import IssueKey
from application.keys.rotate_key import RotateKey
from application.sealed import Sealed
from application.write import Asked
from domain.errors import DomainError
from domain.proof.finding import Finding
from domain.window import KeyLimit
from tests.adapters.cli.fake_actions import STARTED, FakeActions

OPERATOR = Asked("operator")


def run(actions: FakeActions, *arguments: str) -> Result:
    return CliRunner().invoke(build_cli(actions), arguments)


def said(*arguments: str) -> str:
    done = run(FakeActions(), *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_verb_is_listed() -> None:
    verbs = (
        "serve",
        "api",
        "projector",
        "migrate",
        "database-url",
        "rotate",
        "credentials",
        "demo",
        "verify",
        "statement",
        "account",
        "key",
        "grant",
        "version",
    )
    help_text = said("--help")
    assert all(f"\n  {verb} " in help_text for verb in verbs)


@pytest.mark.parametrize("of", [[], ["account"], ["key"]])
def test_every_verbs_line_is_whole_at_80_columns(of: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = said(*of, "--help").partition("Commands:")[2]
    assert listed
    assert "..." not in listed
    assert max(map(len, listed.splitlines())) <= 80


def test_the_version_is_an_option_too() -> None:
    assert said("--version") == said("version") == f"{VERSION}\n"


def test_serves_help_names_the_settings_that_a_first_start_needs() -> None:
    help_text = said("serve", "--help")
    assert all(name in help_text for name in ("GATEWAYZ_PORT", "GATEWAYZ_HOME", "docs/reference/settings.md"))


def test_serve_tells_how_to_use_it() -> None:
    told = banner(STARTED, to_person=True)
    for line in (
        "http://127.0.0.1:8000/v1",
        "gw_admin_a",
        "gw_test_d",
        "curl http://127.0.0.1:8000/v1/chat/completions",
    ):
        assert line in told


def test_what_serve_prints_elsewhere_than_to_a_terminal_holds_no_secret() -> None:
    """A journal and a container's log are kept, and read by others."""
    told = said("serve")
    assert "http://127.0.0.1:8000/v1" in told
    assert "/h/credentials.json" in told
    assert STARTED.admin_key not in told and STARTED.demo_key not in told


def test_without_a_demo_account_serve_tells_how_to_make_one() -> None:
    told = banner(msgspec.structs.replace(STARTED, demo_key=""), to_person=True)
    assert "Demo key" not in told
    for line in ("gatewayz account create", "gatewayz grant", "Bearer $GATEWAYZ_KEY", 'os.environ["GATEWAYZ_KEY"]'):
        assert line in told


@pytest.mark.parametrize(("verb", "exit_code"), [("api", 3), ("projector", 4)])
def test_processes_exit_as_they_ended(verb: str, exit_code: int) -> None:
    assert run(FakeActions(), verb).exit_code == exit_code


def test_migrate_names_what_it_applied() -> None:
    assert said("migrate") == "applied 0001_ledger.sql\n"


def test_a_database_url_goes_to_a_terminal_or_a_file_of_its_own(tmp_path: Path) -> None:
    refused = run(FakeActions(), "database-url", "api")
    assert isinstance(refused.exception, OperatorError)
    assert "stdout is no terminal" in str(refused.exception)
    assert "postgresql" not in refused.output
    file = tmp_path / "api.url"
    assert said("database-url", "api", "--to", str(file)) == ""
    assert file.read_text() == "postgresql://api@host/db\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert isinstance(run(FakeActions(), "database-url", "api", "--to", str(file)).exception, OperatorError)
    assert run(FakeActions(), "database-url", "owner").exit_code == 2


def test_secrets_are_rotated() -> None:
    assert said("rotate", "keyring").startswith("3 of 7 data keys were wrapped anew")
    assert said("rotate", "derivation-secret").startswith("rotated")


def test_verify_exits_0_only_if_clean() -> None:
    clean = run(FakeActions(), "verify")
    assert clean.exit_code == 0
    assert clean.output.rstrip().endswith("\nclean")
    broken = run(FakeActions([Finding("chain", "the digest differs", 5)]), "verify")
    assert broken.exit_code == 1
    assert "chain: position 5: the digest differs" in broken.output
    assert "NOT clean" in broken.output


def test_verify_as_json_is_for_programs() -> None:
    broken = run(FakeActions([Finding("log", "a hole", 5)]), "verify", "--json")
    assert broken.exit_code == 1
    assert json.loads(broken.output)["findings"] == [{"check": "log", "message": "a hole", "position": 5, "place": ""}]


def test_a_statement_shows_lots_reserve_settle_tokens_cost_and_available() -> None:
    shown = said("statement", "demo")
    for figure in ("lot-0001", "0.0024756 @4", "settled @5", "100/50", "0.000045", "available $9.999955"):
        assert figure in shown, figure


def test_a_statement_takes_a_limit() -> None:
    actions = FakeActions()
    run(actions, "statement", "demo", "--limit", "7")
    assert actions.asked == [("find_account", "demo"), ("show_statement", "acc-1", ShowStatement(7))]


def test_a_statement_as_json_has_whole_amounts() -> None:
    shown = json.loads(said("statement", "demo", "--json"))
    assert shown["available_nusd"] == 9_999_955_000
    assert shown["requests"][0]["cost_nusd"] == 45_000


def test_account_create_prints_the_id_alone() -> None:
    assert said("account", "create", "alice", "alice@example.com") == "acc-1\n"


def test_accounts_are_listed() -> None:
    shown = said("account", "list")
    assert all(told in shown for told in ("acc-1", "alice", "alice@example.com", "active"))
    assert json.loads(said("account", "list", "--json"))[0]["username"] == "alice"


def test_account_show_takes_labels_as_they_are() -> None:
    shown = said("account", "show", "alice")
    assert "laptop [bold]" in shown, "a customer's label is no markup"
    assert "available $9.999955" in shown


def test_key_issue_prints_id_and_secret() -> None:
    actions = FakeActions()
    done = run(
        actions,
        "key",
        "issue",
        "alice",
        "--label",
        "ci",
        "--limit-usd",
        "1.5",
        "--window",
        "daily",
        "--expires",
        "2027-01-31",
    )
    assert done.output == "key-1\ngw_live_secret\n"
    expires = datetime(2027, 1, 31, tzinfo=UTC)
    wanted = IssueKey(
        label=Sealed("ci"), environment="live", limit=KeyLimit(1_500_000_000, "daily"), expires_at=expires
    )
    assert actions.asked == [("find_account", "alice"), ("issue_key", "acc-1", wanted, OPERATOR)]


def test_key_list_rotate_and_revoke() -> None:
    actions = FakeActions()
    assert json.loads(run(actions, "key", "list", "alice", "--json").output)[0]["key_id"] == "key-1"
    assert run(actions, "key", "rotate", "alice", "key-1", "--grace-s", "0").output == "gw_live_new\n"
    assert run(actions, "key", "revoke", "alice", "key-1").output == "revoked key-1\n"
    found = [("find_account", "alice"), ("find_key", "acc-1", "key-1")]
    rotated = ("rotate_key", "acc-1", "key-1", RotateKey(grace_s=0), OPERATOR)
    assert actions.asked[2:] == [*found, rotated, *found, ("revoke_key", "acc-1", "key-1")]


def test_credentials_are_told_all_or_one_bare() -> None:
    assert json.loads(said("credentials"))["base_url"] == "http://127.0.0.1:8000"
    assert said("credentials", "demo_key") == "gw_test_d\n"


def test_a_state_is_changed_once_and_only_to_one_there_is() -> None:
    actions = FakeActions()
    done = run(actions, "account", "state", "alice", "closed", "--reason", "asked for by its owner")
    assert (done.exit_code, done.output) == (0, "acc-1 is now closed\n")
    wanted = ChangeAccountState(state="closed", reason=Sealed("asked for by its owner"))
    assert actions.asked[1:] == [("change_account_state", "acc-1", wanted, OPERATOR)]
    assert said("account", "state", "alice", "suspended", "--reason", "abuse") == "acc-1 is already suspended\n"
    wrong = run(actions, "account", "state", "alice", "frozen", "--reason", "asked for by its owner")
    assert wrong.exit_code == 2
    assert "'frozen' is not one of" in wrong.output


def test_grant_reads_the_amount_exactly() -> None:
    actions = FakeActions()
    done = run(actions, "grant", "alice", "12.345678901", "--reason", "goodwill after outage", "--kind", "purchased")
    assert "available $22.345678901" in done.output
    wanted = GrantCredit(amount_usd="12.345678901", kind="purchased", reason=Sealed("goodwill after outage"))
    assert actions.asked == [("find_account", "alice"), ("grant_credit", "acc-1", wanted, OPERATOR)]


@pytest.mark.parametrize("amount", ["1e3", "-5", "0.0000000001", "ten"])
def test_grant_refuses_an_amount_that_is_none_before_it_asks_for_a_database(amount: str) -> None:
    actions = FakeActions()
    done = run(actions, "grant", "alice", "--reason", "goodwill after outage", "--", amount)
    assert actions.asked == []
    assert isinstance(done.exception, DomainError)
    assert done.exception.code == "invalid_amount"


@pytest.mark.parametrize(
    "arguments", [("grant", "alice", "1"), ("key", "issue", "alice"), ("fly",), ("verify", "--now")]
)
def test_what_is_asked_wrongly_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert run(FakeActions(), *arguments).exit_code == 2


def test_version() -> None:
    assert said("version") == f"{VERSION}\n"
