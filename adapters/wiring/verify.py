"""`gatewayz verify`."""

from adapters.outbound.postgres.examine_ledger import pinned_evidence
from adapters.settings.settings import Settings
from adapters.wiring.find_database import reachable_database
from application.verify_ledger import Report, verify_ledger


def verify(settings: Settings) -> Report:
    with reachable_database(settings) as database, pinned_evidence(database.auditor("gatewayz verify")) as evidence:
        return verify_ledger(evidence)
