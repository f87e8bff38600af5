"""What a process logs in to the database with: one DSN for each role that is its own."""

import msgspec

from adapters.outbound.postgres.setup.ensure_roles import Roles
from adapters.outbound.postgres.wire.connection import conninfo, url_as
from adapters.settings.secrets import Secrets


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """DSNs. Empty: not a role of this process."""

    writer: str = ""
    projector: str = ""
    auditor: str = ""

    @classmethod
    def of_one(cls, dsn: str) -> "Logins":
        """Everything as the one login of `dsn`."""
        return cls(writer=dsn, projector=dsn, auditor=dsn)

    @classmethod
    def derived(cls, dsn: str, roles: Roles, secrets: Secrets) -> "Logins":
        """Those that the owner, whose `dsn` this is, gave the passwords that follow from `secrets`."""
        writer, projector, auditor = (url_as(dsn, role, secrets.password_of(role)) for role in roles.logins)
        return cls(writer=writer, projector=projector, auditor=auditor)

    @classmethod
    def of_role(cls, dsn: str, role: str, roles: Roles) -> "Logins":
        """Those of a process that was given the login of one role. Each may read what an auditor reads."""
        match role:
            case roles.writer:
                return cls(writer=dsn, auditor=dsn)
            case roles.projector:
                return cls(projector=dsn, auditor=dsn)
            case _:
                return cls(auditor=dsn)

    def info_of(self, role: str, name: str) -> str:
        """Connection parameters; `name` is what the server shows for the session. Raises: LoginMissing."""
        dsn: str = getattr(self, role)
        if not dsn:
            raise LoginMissing(role)
        return conninfo(dsn, name=name)

    def __repr__(self) -> str:
        return "Logins()"


class LoginMissing(Exception):
    """This process was given no login of that role."""
