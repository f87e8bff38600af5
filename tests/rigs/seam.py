"""Use cases on the ports' fakes: the seam below every surface. One account, `a`, can be opened without its use case."""

from typing import Any

from adapters.outbound.crypto.clock_and_ids import SystemIds
from application.accounts.open_account import OpenAccount
from application.keys.issue_key import IssuedKey, IssueKey
from application.reads.reads import Reads
from application.sealed import Sealed
from application.use_cases import UseCases, use_cases
from application.write import Asked, Ports
from domain.account.account import ACCOUNT, Open
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.fakes.movable_clock import MovableClock
from tests.fakes.reads.positions import MemoryPositionReads
from tests.fakes.reads.reads import memory_reads

ADMIN = Asked("admin")


class Seam:
    """reads: those of another log, for read models that lag; by default they follow the ledger at once."""

    def __init__(self, personal_data: MemoryPersonalData | None = None, reads: Reads | None = None) -> None:
        self.ledger, self.personal_data = MemoryLedger(), personal_data or MemoryPersonalData()
        self.clock = MovableClock()
        self.reads = reads or memory_reads(self.ledger.log, MemoryPositionReads(self.ledger.log))
        self.ports = Ports(self.ledger, self.personal_data, self.reads, self.clock, SystemIds())

    @property
    def use_cases(self) -> UseCases:
        return use_cases(self.ports)

    async def open(self) -> None:
        """Account `a`, as its stream has it."""
        await self.personal_data.create_key("a")
        command = Open(at=self.clock.now(), account_id="a", username=b"sealed:ada", email=b"sealed:ada")
        await self.ledger.transact(ACCOUNT, "a", command, command_id=self.ports.ids.new())

    async def sign_up(self, username: str) -> str:
        wanted = OpenAccount(username=Sealed(username), email=Sealed(f"{username}@example.com"))
        return (await self.use_cases.open_account(wanted, ADMIN)).account_id

    async def issue(self, account_id: str, label: str, **asked: Any) -> IssuedKey:
        wanted = IssueKey(label=Sealed(label), environment="test", **asked)
        return await self.use_cases.issue_key(account_id, wanted, ADMIN)
