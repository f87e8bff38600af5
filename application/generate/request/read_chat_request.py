"""Read what billing needs from a client's JSON. Everything else is passed on untouched."""

import msgspec
from msgspec import Raw

from application.generate.request.members import Members, distinct, first_byte, members_of
from application.generate.request.read_messages import Beyond, read_messages
from application.generate.request.read_tools import cut_foreign_tools
from domain.errors import DomainError

MAX_TOKENS_LIMIT = 2**31 - 1
MAX_CHOICES = 128
"""As OpenAI's API has it (n between 1 and 128, checked 2026-11-22)."""

IMAGE_TOKENS = 50_000
"""Upper bound of what one image can cost in prompt tokens: gpt-4o-mini bills up to 48,169 for the largest
(2,833 + 8 tiles x 5,667; OpenAI vision guide, checked 2026-11-22)."""

TOKEN_FIELDS = ("max_completion_tokens", "max_tokens")

IN_THE_OPERATORS_ACCOUNT = frozenset(
    {"previous_response_id", "conversation", "container", "file_ids", "cached_content"}
)
"""Members that name data kept by a provider under our key: it may be another customer's, and its size is unknown."""

READ = frozenset(
    {*TOKEN_FIELDS, *IN_THE_OPERATORS_ACCOUNT, "model", "messages", "n", "stream", "stream_options", "tools"}
    | {"tool_choice", "provider"}
)
"""Members that billing, routing and limits read: a body that has one twice is refused."""

_BEGINS_NUMBER = b"-0123456789"
_LONGEST_NUMBER = 64
"""Digits of a number that is read: 10^30 is still reported as out of range, a megabyte of digits is not decoded."""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A requested chat completion.

    members:           of the body as it came, for the provider; without the tools that are not passed on.
    raw:               the whole body, for rare reads.
    prompt_bytes:      UTF-8 bytes of the body without inlined files; no tokenizer makes more tokens than bytes.
    images:            sent inline or named by URL; each has its bound.
    beyond:            parts that no count of bytes bounds: the first of each kind.
    attached_tokens:   what the images and files may cost, for an estimate; not their bound.
    requested_tokens:  output tokens per choice that the client asked for, None if it left that to the model.
    cut:               names of what was left out of `members`, as the client wrote them.
    app, title:        the application's origin and its own title, in clear; empty if not sent.
    idempotency:       the client's Idempotency-Key and the hash of method, path and decoded body; None without a key.
    """

    members: Members
    raw: bytes
    model: str
    prompt_bytes: int
    images: int
    beyond: tuple[Beyond, ...]
    attached_tokens: int
    requested_tokens: int | None
    limit_field: str
    choices: int
    streamed: bool
    cut: tuple[str, ...] = ()
    app: str = ""
    title: str = ""
    idempotency: tuple[str, bytes] | None = None

    def most_input_tokens(self, context_length: int) -> int:
        """An upper bound of the prompt on a model with this input limit. It alone bounds the parts in `beyond`."""
        return context_length if self.beyond else self.prompt_bytes + self.images * IMAGE_TOKENS


def read_chat_request(
    members: Members, raw: bytes, *, app: str = "", title: str = "", idempotency: tuple[str, bytes] | None = None
) -> ChatRequest:
    """Check the members that billing depends on; `raw` is the body that holds them.

    Raises: DomainError invalid_request, duplicate_member, naming the member in `param`.
    """
    found = distinct(members, READ)
    for name in IN_THE_OPERATORS_ACCOUNT.intersection(found):
        if first_byte(found[name]) != b"n":
            raise _invalid(name, f"{name} names what is kept at a provider, which cannot be reached from here")
    prompt = read_messages(found.get("messages"))
    limit_field, requested_tokens = _requested_tokens(found)
    sent, cut = cut_foreign_tools(members, found)
    return ChatRequest(
        members=sent,
        raw=raw,
        model=_model(found),
        prompt_bytes=len(raw) - prompt.inlined_bytes,
        images=prompt.images,
        beyond=prompt.beyond,
        attached_tokens=prompt.attached_tokens,
        requested_tokens=requested_tokens,
        limit_field=limit_field,
        choices=_whole_number(found, "n", 1, MAX_CHOICES) or 1,
        streamed=_flag(found, "stream"),
        cut=cut,
        app=app,
        title=title,
        idempotency=idempotency,
    )


def read_body(raw: bytes, *, app: str = "", idempotency: tuple[str, bytes] | None = None) -> ChatRequest:
    """As read_chat_request, of bytes that are known to be JSON."""
    return read_chat_request(members_of(raw), raw, app=app, idempotency=idempotency)


def _model(found: dict[str, Raw]) -> str:
    raw = found.get("model")
    model = msgspec.json.decode(raw) if raw is not None and first_byte(raw) == b'"' else None
    if not model or len(model) > 200:
        raise _invalid("model", "model must be the id of a model; GET /v1/models lists them")
    return str(model)


def _requested_tokens(found: dict[str, Raw]) -> tuple[str, int | None]:
    """The smaller of the client's limits, after the name of its member; null is no limit."""
    asked = [
        (tokens, field)
        for field in TOKEN_FIELDS
        if field in found and (tokens := _whole_number(found, field, 1, MAX_TOKENS_LIMIT)) is not None
    ]
    tokens, field = min(asked, default=(None, ""))
    return field, tokens


def _whole_number(found: dict[str, Raw], field: str, least: int, most: int) -> int | None:
    """A whole number, however it is written: 100.0 is one."""
    raw = found.get(field)
    kind = b"n" if raw is None else first_byte(raw)
    if raw is None or kind == b"n":
        return None
    is_number = kind in _BEGINS_NUMBER and len(memoryview(raw)) <= _LONGEST_NUMBER
    value = msgspec.json.decode(raw) if is_number else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or not least <= value <= most:
        raise _invalid(field, f"{field} must be a whole number from {least} to {most}")
    return value


def _flag(found: dict[str, Raw], field: str) -> bool:
    raw = found.get(field)
    kind = b"n" if raw is None else first_byte(raw)
    if kind not in b"tfn":
        raise _invalid(field, f"{field} must be true or false")
    return kind == b"t"


def _invalid(param: str | None, message: str) -> DomainError:
    return DomainError("invalid_request", param=param, message=message)
