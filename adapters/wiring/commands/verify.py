"""`gatewayz verify`."""

import psycopg

from adapters.operator_error import OperatorError
from adapters.outbound.crypto.data_key import Keyring
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from adapters.outbound.postgres.verify.share_work import WorkFailed
from adapters.outbound.postgres.verify.verify_access import KeyAccess
from adapters.settings.settings import Settings
from adapters.wiring.database.database import Database
from adapters.wiring.database.find_database import reachable_database
from application.audit.verify_ledger import Report, verify_ledger


def verify(settings: Settings) -> Report:
    """Raises: OperatorError if the examination could not be finished: then there is no verdict."""
    with reachable_database(settings) as database:
        try:
            with pinned_evidence(database.auditor("gatewayz verify"), keys=_key_access(database)) as evidence:
                return verify_ledger(evidence)
        except (WorkFailed, psycopg.Error) as error:
            raise OperatorError(f"the ledger could not be verified: {error}") from error


def _key_access(database: Database) -> KeyAccess | None:
    """None without a keyring or a login that may read data keys, as on an auditor's machine."""
    if database.held_secrets is None:
        return None
    keyring = Keyring([key.encode() for key in database.held_secrets.keyring])
    try:
        return KeyAccess(database.writer("gatewayz verify"), keyring)
    except OperatorError:
        return None
