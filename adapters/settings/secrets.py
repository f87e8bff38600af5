"""The installation's secrets: from the environment, else from $GATEWAYZ_HOME/secrets.json, made by the first start."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.complaint import WRONG_INPUT, Complaint
from adapters.embedded.durable import sync_folder, write_file

FILE = "secrets.json"
MIN_PEPPER = 32
"""Characters. It guards every key hash and every derived secret: 32 random ones cannot be guessed."""

MIN_ADMIN_KEY = 16
_FERNET_KEY_BYTES = 32


class Secrets(msgspec.Struct, frozen=True):
    """pepper: keys every hash we store. keyring: Fernet keys as text; the first wraps data keys, all unwrap them.

    Everything else follows from the pepper, so that containers which share it agree without sharing a file.
    """

    pepper: str
    keyring: tuple[str, ...]
    given_admin_key: str = ""

    @property
    def admin_key(self) -> str:
        """GATEWAYZ_ADMIN_KEY, else one that is as lasting as the database."""
        return self.given_admin_key or f"gw_admin_{self._derived('admin key')}"

    def password_of(self, role: str) -> str:
        return self._derived(f"password of database role {role}")

    @property
    def fingerprints(self) -> tuple[bytes, ...]:
        """What a database made with these secrets is marked with: the first; the others while the ring is rotated."""
        return tuple(
            hmac.digest(self.pepper.encode() + b"\0" + key.encode(), b"gatewayz fingerprint", hashlib.sha256)
            for key in self.keyring
        )

    def _derived(self, purpose: str) -> str:
        digest = hmac.digest(self.pepper.encode(), f"gatewayz derived\0{purpose}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def __repr__(self) -> str:
        return "Secrets()"


def find_secrets(home: Path, environment: Mapping[str, str] = os.environ) -> Secrets | None:
    """GATEWAYZ_PEPPER and GATEWAYZ_KEYRING (comma-separated), else the file in `home`, else None.

    Raises: Complaint if one is given without the other, or if either cannot be used.
    """
    pepper, ring = environment.get("GATEWAYZ_PEPPER", ""), environment.get("GATEWAYZ_KEYRING", "")
    admin_key = environment.get("GATEWAYZ_ADMIN_KEY", "")
    if admin_key and len(admin_key) < MIN_ADMIN_KEY:
        raise Complaint(
            f"GATEWAYZ_ADMIN_KEY is shorter than {MIN_ADMIN_KEY} characters: take a longer one", WRONG_INPUT
        )
    if bool(pepper) != bool(ring):
        raise Complaint("GATEWAYZ_PEPPER and GATEWAYZ_KEYRING belong together: set both, or neither", WRONG_INPUT)
    if pepper:
        return Secrets(_pepper(pepper, "GATEWAYZ_PEPPER"), _keyring(ring.split(","), "GATEWAYZ_KEYRING"), admin_key)
    return _read_file(home / FILE, admin_key)


def make_secrets(environment: Mapping[str, str] = os.environ) -> Secrets:
    """Fresh ones, kept nowhere yet."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(_FERNET_KEY_BYTES)).decode()
    return Secrets(secrets.token_urlsafe(_FERNET_KEY_BYTES), (key,), environment.get("GATEWAYZ_ADMIN_KEY", ""))


def keep_secrets(home: Path, fresh: Secrets) -> Secrets:
    """Write the file unless there is one; returns what it holds. Of several at once the first wins, all agree."""
    unfinished = home / f"{FILE}.{secrets.token_hex(4)}"
    text = msgspec.json.encode({"pepper": fresh.pepper, "keyring": fresh.keyring}).decode()
    try:
        write_file(unfinished, text + "\n")
        os.link(unfinished, home / FILE)
        sync_folder(home)
    except FileExistsError:
        pass  # somebody else's start was first
    except OSError as error:
        raise Complaint(f"cannot write {home / FILE}: {error.strerror}; give access, or set GATEWAYZ_HOME") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return _read_file(home / FILE, fresh.given_admin_key) or fresh


class _File(msgspec.Struct):
    pepper: str
    keyring: list[str]


def _read_file(path: Path, admin_key: str) -> Secrets | None:
    try:
        held = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is damaged ({error})"
        raise Complaint(f"cannot read {path}: {reason}; restore it from a backup") from error
    return Secrets(_pepper(held.pepper, str(path)), _keyring(held.keyring, str(path)), admin_key)


def _pepper(text: str, origin: str) -> str:
    if len(text) < MIN_PEPPER:
        raise Complaint(f"{origin}: the pepper has fewer than {MIN_PEPPER} characters: take a random one", WRONG_INPUT)
    return text


def _keyring(keys: Sequence[str], origin: str) -> tuple[str, ...]:
    ring = tuple(key.strip() for key in keys if key.strip())
    if not ring or not all(_is_fernet_key(key) for key in ring):
        raise Complaint(f"{origin}: the keyring must be Fernet keys (32 bytes in url-safe base64)", WRONG_INPUT)
    return ring


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _FERNET_KEY_BYTES
    except (binascii.Error, ValueError):
        return False
