"""Every code that the source can raise is in the one table and in its documentation."""

import re
from pathlib import Path

from adapters.inbound.http.errors.table import TABLE, answer_to
from domain.errors import DomainError
from tests.adapters.http.documents.error_docs import DOCS, table_of_codes

ROOT = Path(__file__).parents[4]

RAISED = re.compile(r'DomainError\(\s*"(\w+)"|super\(\).__init__\(\s*"(\w+)"|return "(api_key_\w+|invalid_api_key)"')


def raised_codes() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in ("domain", "application", "projections", "adapters"):
        for path in (ROOT / folder).rglob("*.py"):
            for match in RAISED.finditer(path.read_text()):
                found[next(filter(None, match.groups()))] = path
    return found


def test_every_code_in_the_source_has_a_row() -> None:
    missing = {code: str(path) for code, path in raised_codes().items() if code not in TABLE}
    assert not missing


def test_every_row_is_a_code_of_the_source() -> None:
    conditional = {"api_key_expired", "not_found", "method_not_allowed"}
    assert not set(TABLE) - set(raised_codes()) - conditional


def test_the_documentation_repeats_the_table() -> None:
    assert table_of_codes() in DOCS.read_text(), "python -m tests.adapters.http.documents.error_docs writes it anew"


def test_a_message_survives_facts_that_are_missing() -> None:
    for code, row in TABLE.items():
        answer = answer_to(DomainError(code))
        assert answer.status == row.status
        assert answer.detail.code == code


def test_a_code_without_a_row_is_500_and_named() -> None:
    answer = answer_to(DomainError("never_heard_of", fact=1))
    assert answer.status == 500
    assert "never_heard_of" in answer.detail.message
