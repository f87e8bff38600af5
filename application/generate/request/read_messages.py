"""Measure a prompt: how many of its bytes are text, how many images it has, and which parts no bytes bound."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import Raw

from application.generate.request.members import Members, distinct, first_byte, named, objects_of, raw_objects_of
from domain.errors import DomainError

Kind = Literal["file", "audio", "video", "unknown"]

MAX_MESSAGE_MEMBERS = 200_000
"""Of all messages together, and of all parts of one message: the longest known conversations have some 10,000."""

_MESSAGE = frozenset({"role", "content", "audio", "images"})

_CARRIERS = frozenset(
    {"image_url", "input_image", "image", "input_audio", "audio_url", "audio", "video_url", "input_video", "video"}
    | {"file", "file_url", "file_data", "input_file", "document", "source"}
)
"""Members of a part that hold or name something other than text, at some provider."""

_PART = frozenset({"type", "file_id", *_CARRIERS})

_TEXTS = frozenset(
    {"text", "input_text", "output_text", "refusal", "thinking", "redacted_thinking", "reasoning", "reasoning_text"}
)

_IMAGES = frozenset({"image_url", "input_image"})

_KIND_OF_TYPE: dict[str, Kind] = {
    "input_audio": "audio",
    "audio_url": "audio",
    "audio": "audio",
    "video_url": "video",
    "input_video": "video",
    "video": "video",
    "file": "file",
    "file_url": "file",
    "input_file": "file",
    "document": "file",
}

_INLINED = frozenset({"url", "data", "file_data", "file_id", "file_url"})
"""Members of a carrier that hold its bytes or their address."""

_BARE_CARRIERS = frozenset({"input_audio", "audio", "file", "file_data", "source", "document", "input_file"})
"""Carriers that may hold base64 without the head of a data URL."""

_MEDIA_TYPE = re.compile(r"\s*data:\s*([^;,\s]*)", re.IGNORECASE)
_HEAD = 256
"""The media type must be within so many first characters of a URL."""

TYPICAL_IMAGE_TOKENS = 1_000
"""A picture of 1,024 x 1,024: 765 at OpenAI, 1,398 at Anthropic, 1,032 at Google (their vision guides, checked
2026-11-27)."""

_BASE64_BYTES_PER_TOKEN: dict[Kind, int] = {"audio": 1_000, "video": 1_000, "file": 50, "unknown": 50}
"""Audio of 128 kbit/s at 10 (OpenAI) to 32 (Google) tokens a second; video of 2 Mbit/s at 300 a second (Google); pages
of a PDF of 100 kB at 1,500 to 3,000 tokens (Anthropic)."""

_TYPICAL_BYTES = 1_000_000
"""Assumed of a file that is only named, not inlined."""

_AT = re.compile(r"`\$\[(\d+)\]")


class Beyond(NamedTuple):
    """A part with tokens that its bytes do not bound: only the model's input limit does."""

    kind: Kind
    param: str


class Prompt(NamedTuple):
    """inlined_bytes:    bytes of the body that are data of images and files, not text.
    attached_tokens:  what images and files may cost, for an estimate.
    """

    images: int
    inlined_bytes: int
    beyond: tuple[Beyond, ...]
    attached_tokens: int


def read_messages(raw: Raw | None) -> Prompt:
    """Raises: DomainError invalid_request, duplicate_member, naming the member in `param`."""
    messages = _messages(raw)
    counting = _Counting()
    for i, message in enumerate(messages):
        counting.message(message, f"messages[{i}]")
    return Prompt(counting.images, counting.inlined_bytes, tuple(counting.beyond.values()), counting.attached_tokens)


def _messages(raw: Raw | None) -> Sequence[Members]:
    if raw is None or first_byte(raw) != b"[":
        raise _invalid("messages", "messages must be a list of at least one message")
    try:
        messages = raw_objects_of(raw, most_members=MAX_MESSAGE_MEMBERS)
    except msgspec.ValidationError as wrong:
        at = _AT.search(str(wrong))
        raise _no_message(f"messages[{at.group(1)}]" if at else "messages") from None
    if not messages:
        raise _invalid("messages", "messages must be a list of at least one message")
    return messages


class _Counting:
    def __init__(self) -> None:
        self.images = 0
        self.inlined_bytes = 0
        self.beyond: dict[Kind, Beyond] = {}
        self.attached_tokens = 0

    def message(self, members: Members, where: str) -> None:
        found = distinct(members, _MESSAGE, f"{where}.")
        role = found.get("role")
        if role is None or first_byte(role) != b'"':
            raise _no_message(where)
        if "audio" in found and first_byte(found["audio"]) != b"n":
            raise _not_ours(f"{where}.audio")
        content, images = found.get("content"), found.get("images")
        if content is not None and (kind := first_byte(content)) != b'"':
            if kind not in b"[n":
                raise _invalid(f"{where}.content", "content must be a string or a list of parts")
            self._parts_if_any(content, f"{where}.content")
        if images is not None:
            self._parts_if_any(images, f"{where}.images")

    def _parts_if_any(self, raw: Raw, where: str) -> None:
        if first_byte(raw) != b"[":
            return
        try:
            parts = objects_of(raw, most_members=MAX_MESSAGE_MEMBERS)
        except msgspec.ValidationError:
            self._note("unknown", f"{where}[0]")  # no documented form of parts
            return
        for j, part in enumerate(parts):
            self._part(part, f"{where}[{j}]")

    def _part(self, part: Sequence[tuple[str, object]], where: str) -> None:
        found = distinct(part, _PART, f"{where}.")
        if "file_id" in found:
            raise _not_ours(f"{where}.file_id")
        type_ = found.pop("type", None)
        type_ = type_ if isinstance(type_, str) else ""
        if type_ in _TEXTS and not found:
            return
        text_bytes = self.inlined_bytes
        kind = self._kind_of_carriers(found, where)
        if type_ in _IMAGES and found.keys() <= {"image_url"} and kind in (None, "image"):
            self.images += 1
            self.attached_tokens += TYPICAL_IMAGE_TOKENS
        else:
            named_kind = _KIND_OF_TYPE.get(type_, "unknown")
            beyond = named_kind if kind is None or kind == "image" else kind
            self._note(beyond, where)
            self.attached_tokens += typical_tokens(beyond, self.inlined_bytes - text_bytes)

    def _kind_of_carriers(self, found: dict[str, object], where: str) -> "Kind | Literal['image'] | None":
        """Kind of the data that is inlined as a data URL: its media type decides, whatever the part's name."""
        kind: Kind | Literal["image"] | None = None
        for name, value in found.items():
            inner = {name: value}
            if isinstance(value, dict):
                inner = distinct(named(value), _INLINED, f"{where}.{name}.")
                if "file_id" in inner:
                    raise _not_ours(f"{where}.{name}.file_id")
            for held in inner.values():
                if isinstance(held, str):
                    kind = self._kind_of_data(name, held) or kind
        return kind

    def _kind_of_data(self, carrier: str, held: str) -> "Kind | Literal['image'] | None":
        media_type = _MEDIA_TYPE.match(held, 0, _HEAD)
        is_bare = media_type is None and carrier in _BARE_CARRIERS and not held.startswith(("http://", "https://"))
        if (media_type or is_bare) and held.isascii():
            self.inlined_bytes += len(held)
        return None if media_type is None else _kind_of_media_type(media_type.group(1).lower())

    def _note(self, kind: Kind, where: str) -> None:
        self.beyond.setdefault(kind, Beyond(kind, where))


def typical_tokens(kind: Kind, inlined_bytes: int) -> int:
    """What a part of this kind usually costs; inlined_bytes: of its base64, 0 if the part is only named."""
    return -(-(inlined_bytes or _TYPICAL_BYTES) // _BASE64_BYTES_PER_TOKEN[kind])


def _kind_of_media_type(media_type: str) -> "Kind | Literal['image']":
    main = media_type.partition("/")[0]
    if main == "image":
        return "image"
    if main == "audio":
        return "audio"
    if main == "video":
        return "video"
    return "file" if media_type else "unknown"


def _no_message(where: str) -> DomainError:
    return _invalid(where, "each message must be an object with a role")


def _not_ours(where: str) -> DomainError:
    return _invalid(where, "what is kept at a provider cannot be named here; send it inline")


def _invalid(param: str, message: str) -> DomainError:
    return DomainError("invalid_request", param=param, message=message)
