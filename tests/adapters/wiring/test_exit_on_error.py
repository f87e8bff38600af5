"""A refusal on the command line: a sentence that says what was wrong with which argument, and no more."""

import pytest

from adapters.operator_error import OperatorError
from adapters.wiring.processes.exit_on_error import exiting_on_error
from domain.errors import DomainError


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        (DomainError("claim_taken", kind="username"), "This username is taken already."),
        (DomainError("claim_taken", kind="key_label"), "This label is taken already."),
        (DomainError("account_not_found", account="alice"), "There is no such account (alice)."),
        (DomainError("key_not_found", key="laptop"), "There is no such API key (laptop)."),
        (
            DomainError("invalid_amount", param="amount_usd", expected="plain decimal digits"),
            "amount_usd must be plain decimal digits.",
        ),
        (DomainError("invalid_request", param="reason", message="reason is too short"), "reason is too short"),
        (OperatorError("the port is in use"), "the port is in use"),
    ],
)
def test_each_refusal_is_a_sentence(refusal: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as given_up, exiting_on_error():
        raise refusal
    assert given_up.value.code == 1
    assert capsys.readouterr().err == f"gatewayz: {line}\n"
