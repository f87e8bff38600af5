"""The write path of every use case: check the input and its account, seal personal fields, and record one command,
exactly once, under the hash of the input (P5).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, TypeAlias, get_args, get_type_hints
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import Ledger, Recorded
from application.ports.personal_data import PersonalData
from application.reads.reads import Reads
from application.sealed import Rule, Sealed, check_personal, personal_fields
from domain.account.account import ACCOUNT, Account
from domain.claim import Claim, encode_claims
from domain.decider import C, Decider, S
from domain.errors import DomainError
from domain.event import GENESIS
from domain.money import parse_usd

HASH_VERSION = b"\x01"
"""First byte of an input's hash. A hash by another rule never equals one by this rule: its version differs, or its
length if it has no version."""

MICROSECOND = timedelta(microseconds=1)

Actor = Literal["admin", "operator", "owner"]


class Ports(NamedTuple):
    """The ports of the use cases about accounts, credit and keys."""

    ledger: Ledger
    personal_data: PersonalData
    reads: Reads
    clock: Clock
    ids: Ids


class Asked(msgspec.Struct, frozen=True):
    """The actor of a call, and its permanent name: a repeated call with the same name and input has no effect."""

    by: Actor
    name: UUID | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The input of a use case. HTTP decodes it from a body, the command line fills it from options."""


UsdText: TypeAlias = Annotated[str, parse_usd]
"""A decimal number of USD. Two spellings of one amount are the same input: `Annotated` names the parser to compare."""

Sealings = Mapping[str, bytes]
"""The personal fields of an input by name, as ciphertext under the account's data key; b"" for None."""


class Claims(NamedTuple):
    """Names that a command claims for its stream, and names that it releases."""

    taken: Sequence[Claim] = ()
    released: Sequence[Claim] = ()


NO_CLAIMS = Claims()


async def known_account(ports: Ports, account_id: str) -> Account:
    """Raises: DomainError account_not_found."""
    account = await ports.ledger.state_of(ACCOUNT, account_id)
    if not account.exists:
        raise DomainError("account_not_found", account_id=account_id)
    return account


async def write(
    ports: Ports,
    decider: Decider[C, S],
    owner_id: str,
    make: Callable[[Sealings], C],
    *,
    account_id: str,
    wanted: Input,
    asked: Asked,
    command_id: UUID,
    claims: Claims = NO_CLAIMS,
    former_hash: bytes | None = None,
) -> Recorded:
    """Seal `wanted` under the data key of `account_id`, make the command and record its events.

    former_hash: the hash that earlier versions recorded for the same input; it is tried if the new hash does not match.
    Raises:      DomainError of Ledger.transact, and account_erased.
    """
    personal = personal_fields(type(wanted))
    sealed = {name: await _sealed(ports, account_id, getattr(wanted, name)) for name, _ in personal}
    command = make(sealed)

    async def record(input_hash: bytes) -> Recorded:
        return await ports.ledger.transact(
            decider,
            owner_id,
            command,
            command_id=command_id,
            input_hash=input_hash,
            claims=claims.taken,
            releases=claims.released,
        )

    try:
        return await record(await hash_of(ports.personal_data, account_id, wanted, asked))
    except DomainError as refusal:
        if refusal.code != "command_id_reused" or former_hash is None:
            raise
        return await record(former_hash)


async def write_to_account(
    ports: Ports,
    decider: Decider[C, S],
    account_id: str,
    make: Callable[[Sealings], C],
    *,
    wanted: Input,
    asked: Asked,
    command_id: UUID,
    former_hash: bytes | None = None,
) -> Recorded:
    """`write` to a stream of an account that exists. Raises also: DomainError invalid_request, account_not_found."""
    check_personal(wanted)
    await known_account(ports, account_id)
    return await write(
        ports,
        decider,
        account_id,
        make,
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=command_id,
        former_hash=former_hash,
    )


async def sealed_claims(ports: Ports, account_id: str, *claims: Claim) -> bytes:
    """The claims as stored in an event; empty if there are none."""
    return await ports.personal_data.seal(account_id, encode_claims(claims)) if claims else b""


async def hash_of(personal_data: PersonalData, account_id: str, wanted: Input, asked: Asked) -> bytes:
    """Hash of the account, the actor and each field that differs from its default, by name.

    So the order of fields does not matter, and an optional field added later changes nothing. If a field is personal,
    the hash is keyed by the account's data key, so that readers of the log alone learn nothing from it.
    """
    content = ascii([account_id, asked.by, *sorted(_given_fields(wanted).items())]).encode()
    if personal_fields(type(wanted)):
        digest = await personal_data.fingerprint(account_id, content)
    else:
        digest = hashlib.blake2b(content, digest_size=16).digest()
    return HASH_VERSION + digest[:16]


def _given_fields(wanted: Input) -> dict[str, object]:
    kind = type(wanted)
    hints = get_type_hints(kind, include_extras=True)
    values = {field.name: getattr(wanted, field.name) for field in msgspec.structs.fields(kind)}
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return {name: _canonical(value, hints[name]) for name, value in values.items() if value != defaults[name]}


def _canonical(value: object, hint: object) -> object:
    if isinstance(value, Sealed):
        return value.clear
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else (value - GENESIS) // MICROSECOND  # any offset, any year
    if isinstance(value, frozenset):
        return sorted(value)
    is_usd = parse_usd in (part for hint in (hint, *get_args(hint)) for part in getattr(hint, "__metadata__", ()))
    return parse_usd(value) if is_usd and isinstance(value, str) else msgspec.to_builtins(value)


async def _sealed(ports: Ports, account_id: str, text: Sealed[Rule] | None) -> bytes:
    return b"" if text is None else await ports.personal_data.seal(account_id, text.clear.encode())
