"""Verifies claims and data keys against account and key events, which an index finds without reading the log."""

from typing import NamedTuple

import psycopg

from adapters.outbound.postgres.verify.pin_snapshot import export_snapshot, pinned, rows_of, stream
from adapters.outbound.postgres.wire.read_log import LoggedEvent, as_entries
from domain.proof.access import Access, AccessWalk, AnyKeyring
from domain.proof.finding import Finding

EVENTS = b"""
SELECT notification_id, originator_id, originator_version, topic, state FROM ledger.stored_events
 WHERE topic LIKE 'account.%' OR topic LIKE 'api\\_key.%' ORDER BY notification_id
"""
CLAIMS = b"SELECT kind, hash, stream FROM ledger.claims"
PRESENT = b"SELECT account_id, ''::bytea FROM ledger.data_keys"
WRAPPED = b"SELECT account_id, wrapped FROM ledger.data_keys"


class KeyAccess(NamedTuple):
    """Access to data keys.

    info:     conninfo of a role that may read wrapped keys; the auditor may not.
    """

    info: str
    keyring: AnyKeyring


class AccessProof(NamedTuple):
    access: Access
    findings: list[Finding]


def verify_access(connection: psycopg.Connection, keys: KeyAccess | None) -> AccessProof:
    """connection: pinned; without `keys` data keys are checked for presence only, and claims for kind and number."""
    walk = AccessWalk()
    for rows in stream(connection, EVENTS):
        for entry in as_entries(rows):
            if isinstance(entry, LoggedEvent):
                walk.walk(entry.position, entry.stream, entry.event)
            else:
                walk.skip(entry.stream)
    claims = rows_of(connection, CLAIMS)
    if keys is None:
        return AccessProof(*walk.compare(claims, dict(rows_of(connection, PRESENT)), None))
    with pinned(keys.info, export_snapshot(connection)) as other:
        return AccessProof(*walk.compare(claims, dict(rows_of(other, WRAPPED)), keys.keyring))
