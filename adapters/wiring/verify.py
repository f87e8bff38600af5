"""`gatewayz verify`."""

import psycopg

from adapters.complaint import Complaint
from adapters.outbound.postgres.examine_ledger import pinned_evidence
from adapters.outbound.postgres.share_work import WorkFailed
from adapters.settings.settings import Settings
from adapters.wiring.find_database import reachable_database
from application.verify_ledger import Report, verify_ledger


def verify(settings: Settings) -> Report:
    """Raises: Complaint if the examination could not be finished: then nothing is known."""
    with reachable_database(settings) as database:
        try:
            with pinned_evidence(database.auditor("gatewayz verify")) as evidence:
                return verify_ledger(evidence)
        except (WorkFailed, psycopg.Error) as error:
            raise Complaint(f"the ledger could not be verified: {error}") from error
