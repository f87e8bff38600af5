"""The line that the supervisor writes to the stdin of a child: the logins and secrets of that child, no others."""

import msgspec

from adapters.outbound.postgres.setup.ensure_roles import Roles
from adapters.settings.secrets import Secrets
from adapters.wiring.database.database import Database
from adapters.wiring.database.logins import Logins


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """pepper, keyring, admin_key: empty for a process that opens neither keys nor personal data."""

    logins: Logins
    roles: Roles | None
    ledger_id: str
    pepper: str = ""
    keyring: tuple[str, ...] = ()
    admin_key: str = ""


def handed_to(child: str, database: Database) -> str:
    """The line for `child`: "api" or "projector"; empty for other children, which read none."""
    own = OWN_ROLES.get(child)
    if own is None:
        return ""
    handed = Handed(
        logins=Logins(**{role: getattr(database.logins, role) for role in own}),
        roles=database.roles,
        ledger_id=database.ledger_id,
    )
    if child == "api":
        secrets = database.secrets
        handed = msgspec.structs.replace(
            handed, pepper=secrets.pepper, keyring=secrets.keyring, admin_key=secrets.admin_key
        )
    return msgspec.json.encode(handed).decode()


OWN_ROLES = {"api": ("writer",), "projector": ("projector", "writer")}
"""The projector process also expires reservations, and only the writer may record that."""


def taken_from(line: str) -> Database:
    """The database as described by the line that this process received."""
    handed = msgspec.json.decode(line, type=Handed)
    secrets = Secrets(handed.pepper, handed.keyring, handed.admin_key) if handed.pepper else None
    return Database(handed.logins.writer, handed.logins, secrets, handed.roles, handed.ledger_id)
