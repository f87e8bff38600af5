"""Personal text on its way to the ledger: in clear only between its arrival and its encryption."""

from collections.abc import Sequence
from functools import cache
from typing import Generic, NamedTuple, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from application.ports.personal_data import PersonalData
from domain.errors import DomainError

MIN_REASON = 10
MAX_REASON = 500


class Rule:
    """A rule for texts of one kind: `check` raises DomainError invalid_request (param: the field of the text)."""

    @staticmethod
    def check(text: str) -> None:
        raise NotImplementedError


R = TypeVar("R", bound=Rule)


class Reason(Rule):
    """The reason for a change to an account, for auditors (docs/reference/rules.md#roles)."""

    @staticmethod
    def check(text: str) -> None:
        if not text.isprintable():  # terminals, logs and exports show it
            message = "reason must be one line of printable characters"
            raise DomainError("invalid_request", param="reason", message=message)
        if not MIN_REASON <= len(text) <= MAX_REASON:
            message = f"reason must have {MIN_REASON} to {MAX_REASON} characters"
            raise DomainError("invalid_request", param="reason", message=message)


class Sealed(Generic[R]):
    """One personal text of an input, such as `reason: Sealed[Reason]`.

    It cannot be encoded, pickled or printed: only the ciphertext made by application.write leaves the use case.
    """

    __slots__ = ("clear",)

    def __init__(self, clear: str) -> None:
        self.clear = clear

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("personal text does not leave its process in clear")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.clear == other.clear

    def __hash__(self) -> int:
        return hash(self.clear)


class PersonalField(NamedTuple):
    name: str
    rule: type[Rule]


@cache  # bounded by the number of input types
def personal_fields(kind: type[msgspec.Struct]) -> Sequence[PersonalField]:
    """The fields of `kind` with type Sealed[...], optional ones included."""
    hints = get_type_hints(kind)
    found = [(name, part) for name, hint in hints.items() for part in (hint, *get_args(hint)) if _is_sealed(part)]
    return tuple(PersonalField(name, get_args(part)[0]) for name, part in found)


def _is_sealed(hint: object) -> bool:
    """With or without parameter: msgspec's hooks get either."""
    return hint is Sealed or get_origin(hint) is Sealed


def check_personal(wanted: msgspec.Struct) -> None:
    """Raises: DomainError invalid_request for the first personal field that breaks its rule."""
    for name, rule in personal_fields(type(wanted)):
        text = getattr(wanted, name)
        if text is not None:
            rule.check(text.clear)


async def opened(personal_data: PersonalData, account_id: str, sealed: bytes) -> str:
    """The decrypted text, or the word that replaces it if it cannot be decrypted (PersonalData.open)."""
    return (await personal_data.open(account_id, sealed)).decode()


_JSON_NAMES = {bool: "bool", int: "int", float: "float", list: "array", dict: "object", type(None): "null"}


def read_sealed(kind: type, value: object) -> object:
    """msgspec's `dec_hook`: a JSON string becomes Sealed. Raises: TypeError, worded as msgspec does."""
    if not _is_sealed(kind):
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{_JSON_NAMES.get(type(value), 'object')}`")
    return Sealed(value)


def schema_of_sealed(kind: type) -> dict[str, object]:
    """msgspec's `schema_hook`: for clients, Sealed is a string."""
    if not _is_sealed(kind):
        raise NotImplementedError(kind)
    return {"type": "string"}
