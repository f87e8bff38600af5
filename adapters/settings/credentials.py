"""$GATEWAYZ_HOME/credentials.json: how to reach the last started instance, for people, tests and our own verbs."""

from pathlib import Path

import msgspec

from adapters.embedded.durable import write_file
from adapters.operator_error import OperatorError

FILE = "credentials.json"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """base_url: without /v1. ledger_id: of the database with the demo key; another database needs another key."""

    base_url: str
    admin_key: str
    demo_key: str = ""
    demo_account_id: str = ""
    ledger_id: str = ""


def read_credentials(home: Path) -> Credentials | None:
    """None before the first start, or if the file is damaged: the next start writes it again."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=Credentials)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    except OSError as error:
        raise OperatorError(f"cannot read {home / FILE}: {error.strerror}; run as the user who started it") from error


def write_credentials(home: Path, credentials: Credentials) -> None:
    """Write the file with mode 0600. Raises: OperatorError."""
    try:
        write_file(home / FILE, msgspec.json.format(msgspec.json.encode(credentials)).decode() + "\n")
    except OSError as error:
        raise OperatorError(
            f"cannot write {home / FILE}: {error.strerror}; give access, or set GATEWAYZ_HOME"
        ) from error
