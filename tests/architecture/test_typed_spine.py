"""An aggregate takes its own commands only, and its state has its own attributes only: mypy refuses the rest."""

import re
from pathlib import Path

import mypy.api
import pytest

ROOT = Path(__file__).parents[2]

SNIPPET = """
from uuid import UUID

from application.ports.ledger import Ledger
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.api_key.api_key import API_KEY, Revoke
from domain.credit.commands import CreditCommand, ExpireLot
from domain.credit.decider import CREDIT
from domain.event import GENESIS, Event

ID = UUID(int=0)


async def right(ledger: Ledger, command: CreditCommand) -> tuple[bool, bool, int]:
    await ledger.transact(ACCOUNT, "a", Open(at=GENESIS, account_id="a", username=b"", email=b""), command_id=ID)
    await ledger.transact(API_KEY, "k", Revoke(at=GENESIS), command_id=ID)
    await ledger.transact(CREDIT, "a", ExpireLot(at=GENESIS, lot_id="l"), command_id=ID)
    await ledger.transact(CREDIT, "a", command, command_id=ID)
    account, key = await ledger.state_of(ACCOUNT, "a"), await ledger.state_of(API_KEY, "k")
    return account.exists, key.revoked, (await ledger.state_of(CREDIT, "a")).posted_nusd


async def wrong(ledger: Ledger, event: Event) -> None:
    await ledger.transact(CREDIT, "a", Revoke(at=GENESIS), command_id=ID)  # refused: type-var, arg-type, misc
    await ledger.transact(ACCOUNT, "a", ExpireLot(at=GENESIS, lot_id="l"), command_id=ID)  # refused: arg-type, misc
    await ledger.transact(API_KEY, "k", ChangeState(at=GENESIS, state="bot"), command_id=ID)  # refused: arg-type, misc
    (await ledger.state_of(ACCOUNT, "a")).posted_nusd  # refused: attr-defined
    (await ledger.state_of(CREDIT, "a")).no_such_field  # refused: attr-defined
    ACCOUNT.run(Revoke(at=GENESIS), ACCOUNT.initial)  # refused: arg-type
    CREDIT.decide(ExpireLot(at=GENESIS, lot_id="l"), ACCOUNT.initial)  # refused: arg-type
    CREDIT.evolve(ACCOUNT.initial, event)  # refused: arg-type
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """What mypy says of the snippet: by line, the kind of error."""
    snippet = tmp_path_factory.mktemp("spine") / "snippet.py"
    snippet.write_text(SNIPPET)
    said, complaints, _ = mypy.api.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"), str(snippet)]
    )
    assert not complaints, complaints
    return {int(line): kind for line, kind in re.findall(r"snippet\.py:(\d+): error: .*\[([a-z-]+)\]", said)}


def test_other_aggregates_commands_and_unknown_attributes_are_refused(refused: dict[int, str]) -> None:
    wanted = {n: kinds for n, line in enumerate(SNIPPET.splitlines(), 1) if (kinds := line.partition("# refused: ")[2])}
    assert refused.keys() == wanted.keys()
    assert all(kind in wanted[line].split(", ") for line, kind in refused.items()), (refused, wanted)
