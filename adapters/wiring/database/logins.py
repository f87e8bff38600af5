"""The database logins of a process: one DSN for each role that it has."""

import msgspec

from adapters.outbound.postgres.setup.ensure_roles import Roles
from adapters.outbound.postgres.wire.connection import conninfo, url_as
from adapters.settings.secrets import Secrets


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """A DSN per role; empty if the process does not have the role."""

    writer: str = ""
    projector: str = ""
    auditor: str = ""

    @classmethod
    def of_one(cls, dsn: str) -> "Logins":
        """All roles use the login of `dsn`."""
        return cls(writer=dsn, projector=dsn, auditor=dsn)

    @classmethod
    def derived(cls, dsn: str, roles: Roles, secrets: Secrets) -> "Logins":
        """A login per role, with the password derived from `secrets`. dsn: of the owner, who set these passwords."""
        writer, projector, auditor = (url_as(dsn, role, secrets.password_of(role)) for role in roles.logins)
        return cls(writer=writer, projector=projector, auditor=auditor)

    @classmethod
    def of_role(cls, dsn: str, role: str, roles: Roles) -> "Logins":
        """For a process with the login of one role. Every role may also read as an auditor."""
        match role:
            case roles.writer:
                return cls(writer=dsn, auditor=dsn)
            case roles.projector:
                return cls(projector=dsn, auditor=dsn)
            case _:
                return cls(auditor=dsn)

    def info_of(self, role: str, name: str) -> str:
        """Connection parameters; the server shows `name` for the session. Raises: LoginMissing."""
        dsn: str = getattr(self, role)
        if not dsn:
            raise LoginMissing(role)
        return conninfo(dsn, name=name)

    def __repr__(self) -> str:
        return "Logins()"


class LoginMissing(Exception):
    """This process has no login of that role."""
