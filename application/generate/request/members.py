"""JSON objects decoded one level deep: the names are decoded, each value stays the bytes that came.

Only values that are needed become Python objects; the JSON that is passed on keeps its order, its digits and unknown
members. A name that occurs twice stays there twice, so that duplicates are seen.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from domain.errors import DomainError

T = TypeVar("T")

Members = Sequence[tuple[str, Raw]]
"""Names and values of one object, in order."""

MAX_MEMBERS = 1_000
"""Of one object that is read: OpenAI's chat completions have some 35. More would only cost time."""


Objects = Sequence[Sequence[tuple[str, object]]]
"""Members of several objects, in order, with decoded values; for objects inside them see `named`."""


class _Name:
    """A member's name, equal to none but itself: a dict of them keeps duplicates."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_Value = None | bool | int | float | str | list[Any] | dict[_Name, Any]
"""A value in a part: objects inside it keep their duplicates too; deeper ones are not read."""

_UNCOUNTED_BYTES = 256 * 1024
"""A text up to this size cannot have enough names to matter."""


class _Decoders(NamedTuple):
    """members: of an object; raw_objects, objects: of each object of a list."""

    members: msgspec.json.Decoder[dict[_Name, Raw]]
    raw_objects: msgspec.json.Decoder[list[dict[_Name, Raw]]]
    objects: msgspec.json.Decoder[list[dict[_Name, _Value]]]


class _Reader:
    """Decoders, and how many more names they may see. One thread at a time."""

    def __init__(self) -> None:
        self._left = 0
        self._decoders = {
            is_counting: _Decoders(
                msgspec.json.Decoder(dict[_Name, Raw], dec_hook=hook),
                msgspec.json.Decoder(list[dict[_Name, Raw]], dec_hook=hook),
                msgspec.json.Decoder(list[dict[_Name, _Value]], dec_hook=hook),
            )
            for is_counting, hook in ((False, _name), (True, self._counted_name))
        }

    def decoders(self, raw: bytes | Raw, most_members: int) -> _Decoders:
        """The decoders for `raw`; a long text with more than `most_members` names is refused."""
        is_counting = len(memoryview(raw)) > _UNCOUNTED_BYTES
        self._left = most_members
        return self._decoders[is_counting]

    def _counted_name(self, _: type, text: str) -> _Name:
        self._left -= 1
        if self._left < 0:
            raise DomainError("invalid_request", param=None, message="an object has more members than are read")
        return _Name(text)


def _name(_: type, text: str) -> _Name:
    return _Name(text)


class _Readers(threading.local):
    def __init__(self) -> None:
        self.mine = _Reader()


_readers = _Readers()


def members_of(raw: bytes | Raw) -> Members:
    """The members of an object. Raises: msgspec.DecodeError (ValidationError if it is no object), RecursionError."""
    found = named(_readers.mine.decoders(raw, MAX_MEMBERS).members.decode(raw))
    if len(found) > MAX_MEMBERS:
        raise DomainError("invalid_request", param=None, message=f"an object has more than {MAX_MEMBERS} members")
    return found


def raw_objects_of(raw: Raw, *, most_members: int) -> Sequence[Members]:
    """The members of each object of a list. Raises: as members_of, ValidationError if it holds anything else."""
    return [named(one) for one in _readers.mine.decoders(raw, most_members).raw_objects.decode(raw)]


def objects_of(raw: Raw, *, most_members: int) -> Objects:
    """As raw_objects_of, with decoded values: one pass fewer if all of them are read."""
    return [named(one) for one in _readers.mine.decoders(raw, most_members).objects.decode(raw)]


def named(decoded: Mapping[_Name, T]) -> list[tuple[str, T]]:
    """Members of an object inside a decoded one, duplicates included."""
    return [(name.text, value) for name, value in decoded.items()]


def distinct(members: Sequence[tuple[str, T]], names: frozenset[str], where: str = "") -> dict[str, T]:
    """Those of `names` that are there. `where` is the object's path: `messages[0].`.

    Raises: DomainError duplicate_member: of two equal names we might read one and the provider the other.
    """
    found: dict[str, T] = {}
    for name, value in members:
        if name in names:
            if name in found:
                raise DomainError("duplicate_member", param=where + name)
            found[name] = value
    return found


def first_byte(raw: Raw) -> bytes:
    """Shows the kind of a value: `"`, `{`, `[`, `n`ull, `t`rue, `f`alse, or the beginning of a number."""
    return _BYTES[memoryview(raw)[0]]


_BYTES = tuple(bytes([value]) for value in range(256))


def written(members: Iterable[tuple[str, Raw | bytes]]) -> bytes:
    """An object of these members. Values are copied byte for byte."""
    return b"{" + b",".join(_pairs(members)) + b"}"


def _pairs(members: Iterable[tuple[str, Raw | bytes]]) -> Iterator[bytes]:
    for name, value in members:
        yield b"".join((_encode(name), b":", memoryview(value)))


_encode = msgspec.json.Encoder().encode
