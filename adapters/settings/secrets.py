"""The installation's secrets: from the environment, else from $GATEWAYZ_HOME/secrets.json, made at the first start."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from adapters.embedded.durable import sync_folder, write_file
from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.settings.weak_secrets import weakness

FILE = "secrets.json"
DERIVATION = "GATEWAYZ_DERIVATION_SECRET"
SECRET_NAMES = frozenset({"GATEWAYZ_PEPPER", "GATEWAYZ_KEYRING", "GATEWAYZ_ADMIN_KEY", DERIVATION})

MIN_PEPPER = 32
"""Characters. It protects every key hash and every derived secret: 32 random ones cannot be guessed."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO

MIN_ADMIN_KEY = 16
TAKE_KEY = "take a random one, such as `openssl rand -base64 32 | tr +/ -_` prints"
TAKE = "take a random one, such as `openssl rand -hex 32` prints"
_FERNET_KEY_BYTES = 32


class Secrets(msgspec.Struct, frozen=True):
    """pepper:     keys every hash we store.
    keyring:    Fernet keys as text; the first wraps data keys, all unwrap them.
    derivation: admin key and role passwords are derived from it, so that they are stored nowhere. If empty, from the
                pepper, as in homes that are older than this secret.
    """

    pepper: str
    keyring: tuple[str, ...]
    given_admin_key: str = ""
    derivation: str = ""

    @property
    def admin_key(self) -> str:
        """GATEWAYZ_ADMIN_KEY, else a derived one that stays the same."""
        return self.given_admin_key or f"gw_admin_{self._derived('admin key')}"

    def password_of(self, role: str) -> str:
        return self._derived(f"password of database role {role}")

    @property
    def fingerprints(self) -> tuple[bytes, ...]:
        """Marks of a database made with these secrets: the first; the others during a rotation of the ring."""
        return tuple(
            hmac.digest(self.pepper.encode() + b"\0" + key.encode(), b"gatewayz fingerprint", hashlib.sha256)
            for key in self.keyring
        )

    def _derived(self, purpose: str) -> str:
        secret = self.derivation or self.pepper
        digest = hmac.digest(secret.encode(), f"gatewayz derived\0{purpose}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def __repr__(self) -> str:
        return "Secrets()"


def find_secrets(home: Path, environment: Mapping[str, str] = os.environ) -> Secrets | None:
    """GATEWAYZ_PEPPER and GATEWAYZ_KEYRING (comma-separated), else the file in `home`, else None. GATEWAYZ_ADMIN_KEY
    and GATEWAYZ_DERIVATION_SECRET replace those of either.

    Raises: OperatorError if one of the first two is given without the other, or if any cannot be used.
    """
    pepper, ring = environment.get("GATEWAYZ_PEPPER", ""), environment.get("GATEWAYZ_KEYRING", "")
    admin_key = environment.get("GATEWAYZ_ADMIN_KEY", "")
    if admin_key:
        _strong(admin_key, MIN_ADMIN_KEY, "GATEWAYZ_ADMIN_KEY")
    if bool(pepper) != bool(ring):
        raise OperatorError("GATEWAYZ_PEPPER and GATEWAYZ_KEYRING belong together: set both, or neither", WRONG_INPUT)
    derivation = environment.get(DERIVATION, "")
    if derivation:
        _strong(derivation, MIN_PEPPER, DERIVATION)
    if pepper:
        return Secrets(
            _strong(pepper, MIN_PEPPER, "GATEWAYZ_PEPPER"),
            _keyring(ring.split(","), "GATEWAYZ_KEYRING"),
            admin_key,
            derivation,
        )
    return _read_file(home / FILE, admin_key, derivation)


def make_secrets(environment: Mapping[str, str] = os.environ) -> Secrets:
    """New secrets, not stored yet."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(_FERNET_KEY_BYTES)).decode()
    return Secrets(
        secrets.token_urlsafe(_FERNET_KEY_BYTES),
        (key,),
        environment.get("GATEWAYZ_ADMIN_KEY", ""),
        environment.get(DERIVATION) or secrets.token_urlsafe(_FERNET_KEY_BYTES),
    )


def keep_secrets(home: Path, fresh: Secrets) -> Secrets:
    """Write the file unless it exists; returns its content. If several processes start at once, all get the first's."""
    unfinished = home / f"{FILE}.{secrets.token_hex(4)}"
    try:
        write_file(unfinished, _text(fresh))
        os.link(unfinished, home / FILE)
        sync_folder(home)
    except FileExistsError:
        pass  # another process was first
    except OSError as error:
        raise OperatorError(
            f"cannot write {home / FILE}: {error.strerror}; give access, or set GATEWAYZ_HOME"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return _read_file(home / FILE, fresh.given_admin_key, fresh.derivation) or fresh


def replace_secrets(home: Path, fresh: Secrets) -> None:
    """Replace the file's content by `fresh`. Raises: OperatorError."""
    try:
        write_file(home / FILE, _text(fresh))
    except OSError as error:
        raise OperatorError(f"cannot write {home / FILE}: {error.strerror}; give access") from error


class _File(msgspec.Struct):
    """derivation_secret: missing in files that are older than this secret."""

    pepper: str
    keyring: list[str]
    derivation_secret: str = ""


def _text(held: Secrets) -> str:
    return msgspec.json.encode(_File(held.pepper, list(held.keyring), held.derivation)).decode() + "\n"


def _read_file(path: Path, admin_key: str, derivation: str) -> Secrets | None:
    try:
        _refuse_if_others_can_read(path)
        held = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is damaged ({error})"
        raise OperatorError(f"cannot read {path}: {reason}; restore it from a backup") from error
    return Secrets(
        _strong(held.pepper, MIN_PEPPER, f"{path}: the pepper"),
        _keyring(held.keyring, str(path)),
        admin_key,
        derivation or held.derivation_secret,
    )


def _refuse_if_others_can_read(path: Path) -> None:
    """Raises: OperatorError, OSError. As ssh does for a key: others may already know what they could read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS:
        raise OperatorError(f"{path} can be read by others (mode {mode:04o}): chmod 600 it; if others could, rotate it")


def _strong(text: str, least: int, origin: str) -> str:
    """Return `text`. Raises: OperatorError (without the text) if it is shorter than `least` or can be guessed."""
    if len(text) < least:
        raise OperatorError(f"{origin} has fewer than {least} characters: {TAKE}", WRONG_INPUT)
    if why := weakness(text, least):
        raise OperatorError(f"{origin} can be guessed ({why}): {TAKE}", WRONG_INPUT)
    return text


def _keyring(keys: Sequence[str], origin: str) -> tuple[str, ...]:
    ring = tuple(key.strip() for key in keys if key.strip())
    if not ring or not all(_is_fernet_key(key) for key in ring):
        raise OperatorError(f"{origin}: the keyring must be Fernet keys (32 bytes in url-safe base64)", WRONG_INPUT)
    for key in ring:
        if why := weakness(key, MIN_PEPPER):
            raise OperatorError(f"{origin}: a key of the ring can be guessed ({why}): {TAKE_KEY}", WRONG_INPUT)
    return ring


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _FERNET_KEY_BYTES
    except (binascii.Error, ValueError):
        return False
