"""Personal text on its way to the ledger: in clear only at the edge where it arrives and where it is sealed."""

from collections.abc import Sequence
from functools import cache
from typing import Generic, NamedTuple, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from application.ports.personal_data import PersonalData
from domain.errors import DomainError

MIN_REASON = 10
MAX_REASON = 500


class Rule:
    """What a text of one kind must look like: `check` raises DomainError invalid_request (the text's field)."""

    @staticmethod
    def check(text: str) -> None:
        raise NotImplementedError


R = TypeVar("R", bound=Rule)


class Reason(Rule):
    """Why something was done to an account: an auditor must be able to tell (docs/reference/rules.md#roles)."""

    @staticmethod
    def check(text: str) -> None:
        if not text.isprintable():  # it is shown in terminals, logs and exports
            message = "reason must be one line of printable characters"
            raise DomainError("invalid_request", param="reason", message=message)
        if not MIN_REASON <= len(text) <= MAX_REASON:
            message = f"reason must have {MIN_REASON} to {MAX_REASON} characters"
            raise DomainError("invalid_request", param="reason", message=message)


class Sealed(Generic[R]):
    """One personal text of an input, such as `reason: Sealed[Reason]`.

    It cannot be encoded, pickled or printed: what leaves the use case is the ciphertext that application.write makes.
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


@cache  # as many as there are kinds of input
def personal_fields(kind: type[msgspec.Struct]) -> Sequence[PersonalField]:
    """The fields of `kind` that are Sealed[...], or None as well."""
    hints = get_type_hints(kind)
    found = [(name, part) for name, hint in hints.items() for part in (hint, *get_args(hint)) if _is_sealed(part)]
    return tuple(PersonalField(name, get_args(part)[0]) for name, part in found)


def _is_sealed(hint: object) -> bool:
    """Parametrized or not: msgspec's hooks get either."""
    return hint is Sealed or get_origin(hint) is Sealed


def check_personal(wanted: msgspec.Struct) -> None:
    """Raises: DomainError invalid_request, of the first personal field that breaks its rule."""
    for name, rule in personal_fields(type(wanted)):
        text = getattr(wanted, name)
        if text is not None:
            rule.check(text.clear)


async def opened(personal_data: PersonalData, account_id: str, sealed: bytes) -> str:
    """What was sealed, or the word that is shown in its place (PersonalData.open)."""
    return (await personal_data.open(account_id, sealed)).decode()


_JSON_NAMES = {bool: "bool", int: "int", float: "float", list: "array", dict: "object", type(None): "null"}


def read_sealed(kind: type, value: object) -> object:
    """msgspec's `dec_hook`: a JSON string becomes Sealed. Raises: TypeError, in the words of msgspec."""
    if not _is_sealed(kind):
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{_JSON_NAMES.get(type(value), 'object')}`")
    return Sealed(value)


def schema_of_sealed(kind: type) -> dict[str, object]:
    """msgspec's `schema_hook`: to a client it is a string."""
    if not _is_sealed(kind):
        raise NotImplementedError(kind)
    return {"type": "string"}
