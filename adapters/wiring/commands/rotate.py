"""`gatewayz rotate`: replace a secret, and everything that is derived from it."""

import secrets as randomness

from msgspec.structs import replace

from adapters.embedded.supervisor_lock import SupervisorLock
from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.crypto.wrapping import Wrapping, WrongKeyring
from adapters.outbound.postgres.setup.rewrap_data_keys import Rewrapped, rewrap_data_keys
from adapters.outbound.postgres.wire.connection import conninfo
from adapters.settings.secrets import DERIVATION, FILE, find_secrets, replace_secrets
from adapters.settings.settings import Settings
from adapters.wiring.database.database import as_operator_errors, prepare_database
from adapters.wiring.database.find_database import owner_s_dsn

DERIVATION_BYTES = 32


def rotate_keyring(settings: Settings) -> Rewrapped:
    """Wrap every data key with the first key of the ring, so that the other keys can be removed. Returns the counts.

    Harmless to repeat and to interrupt; the instance may keep running. Raises: OperatorError, EmbeddedPostgresError.
    """
    with owner_s_dsn(settings) as dsn:
        database = prepare_database(dsn, settings)
        wrapping = Wrapping([key.encode() for key in database.secrets.keyring])

        def rewrap(account_id: str, wrapped: bytes) -> bytes | None:
            if wrapping.is_current(wrapped):
                return None
            return wrapping.wrap(account_id, wrapping.unwrap(account_id, wrapped))

        try:
            with as_operator_errors(dsn, settings):
                return rewrap_data_keys(conninfo(dsn, name="gatewayz rotate"), rewrap)
        except WrongKeyring as error:
            raise OperatorError(
                f"no key of the ring opens the data key of account {error}: put the key that was removed back"
            ) from error


def rotate_derivation_secret(settings: Settings) -> None:
    """Write a new derivation secret to secrets.json, which changes the admin key and the passwords of the roles.

    All processes must be stopped: a running one could not connect again. After an interruption, the next start or
    `migrate` finishes the rotation.

    Raises: OperatorError, EmbeddedPostgresError.
    """
    held, current = find_secrets(settings.home, {}), find_secrets(settings.home)
    if held is None or current is None or current.derivation != held.derivation or current.pepper != held.pepper:
        raise OperatorError(
            f"the derivation secret is not in {settings.home / FILE}: set {DERIVATION} to another, run"
            " `gatewayz migrate`, and give each process its new `gatewayz database-url`",
            WRONG_INPUT,
        )
    with SupervisorLock(settings.home / "serve.lock"), owner_s_dsn(settings) as dsn:
        replace_secrets(settings.home, replace(held, derivation=randomness.token_urlsafe(DERIVATION_BYTES)))
        prepare_database(dsn, settings)
