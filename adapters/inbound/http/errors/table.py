"""The one error table: what a refusal's code means over HTTP. docs/reference/errors.md repeats it; a test compares.

A test finds codes in the source that have no row; at run time such a code answers 500.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from adapters.inbound.http.errors.envelopes import ErrorDetail, ErrorType
from adapters.inbound.http.server.inflate import ENCODINGS
from domain.errors import DomainError

Facts = Mapping[str, object]


class Row(msgspec.Struct, frozen=True):
    """How a code is answered.

    message:        filled in with the refusal's facts.
    retry_after_s:  sent unless the facts name another.
    is_final:       OpenAI's SDKs retry 409 and 5xx on their own, which here would be useless or be charged again: the
                    header x-should-retry stops them. Every 5xx without a Retry-After has it too.
    closes:         the connection cannot be used again; the answer has `connection: close`.
    """

    status: int
    type: ErrorType
    message: str
    retry_after_s: int | None = None
    is_final: bool = False
    closes: bool = False


def _request(status: int, message: str, retry_after_s: int | None = None, *, is_final: bool = False) -> Row:
    return Row(status, "invalid_request_error", message, retry_after_s, is_final)


def _ours(status: int, message: str, retry_after_s: int | None = None, *, is_final: bool = False) -> Row:
    return Row(status, "server_error", message, retry_after_s, is_final)


TABLE: Mapping[str, Row] = {
    # ---- a head that reaches no route (edge/protocol.py)
    "invalid_http": Row(400, "invalid_request_error", "This cannot be read as a request in HTTP/1.1.", closes=True),
    "invalid_host": Row(400, "invalid_request_error", "A request has exactly one Host header.", closes=True),
    "head_timeout": Row(
        408, "invalid_request_error", "The request's head did not arrive within {limit_s} seconds.", closes=True
    ),
    "head_too_large": Row(
        431,
        "invalid_request_error",
        "The request's head is larger than {limit_bytes} bytes, or has more than {limit_fields} fields.",
        closes=True,
    ),
    # ---- the request itself
    "invalid_request": _request(400, "{message}"),
    "invalid_json": _request(400, "The body is not valid JSON in UTF-8: {message}"),
    "invalid_amount": _request(400, "{param} must be {expected}."),
    "invalid_expiry": _request(400, "{param} must be {expected}."),
    "invalid_grace": _request(400, "grace_s must be from 0 to {limit} seconds."),
    "model_not_priced": _request(400, "The model {model} has no price and cannot be called until it has one."),
    "provider_refused_request": _request(400, "{message}"),
    "context_length_exceeded": _request(400, "{message}"),
    "body_timeout": Row(408, "invalid_request_error", "The body did not arrive within {limit_s} seconds.", closes=True),
    "body_too_large": _request(413, "The body is larger than {limit_bytes} bytes."),
    "unsupported_media_type": _request(415, "{message}"),
    "duplicate_member": _request(400, "{param} is there twice: one of them would be charged, the other answered."),
    # ---- who is calling
    "conflicting_credentials": _request(400, "Two different API keys were sent; send one."),
    "invalid_api_key": Row(401, "authentication_error", "{message}"),
    "api_key_disabled": Row(401, "authentication_error", "This API key is disabled."),
    "api_key_expired": Row(401, "authentication_error", "This API key has expired."),
    "insufficient_credits": Row(
        402,
        "insufficient_quota",
        "This request requires more credits, or fewer max_tokens. "
        "You requested up to {requested_tokens} tokens, but can only afford {affordable_tokens}.",
    ),
    "body_needs_credit": Row(
        402, "insufficient_quota", "Without available credit a body may have at most {limit_bytes} bytes.", closes=True
    ),
    "key_limit_exceeded": Row(403, "permission_error", "{message}"),
    "account_not_served": Row(403, "permission_error", "This account cannot be served in its present state."),
    "management_key": Row(403, "permission_error", "A management key manages keys; it cannot call models."),
    "management_key_required": Row(403, "permission_error", "Only a management key may do this."),
    "admin_key_required": Row(403, "permission_error", "Only the admin key may do this."),
    # ---- the subject of the request
    "not_found": _request(404, "There is nothing at this path."),
    "model_not_found": _request(404, "The model {model} does not exist. {hint}"),
    "account_not_found": _request(404, "There is no such account."),
    "key_not_found": _request(404, "There is no such API key."),
    "generation_not_found": _request(404, "There is no such generation in this account."),
    "method_not_allowed": _request(405, "This path does not have this method."),
    # ---- earlier requests
    "request_in_progress": _request(409, "A request with this Idempotency-Key is still running.", 1),
    "idempotency_key_reused": _request(409, "This Idempotency-Key was used for another request.", is_final=True),
    "answer_not_kept": _request(
        409,
        "This request was answered and charged {cost_usd} USD as {generation_id}; its answer is no longer kept.",
        is_final=True,
    ),
    "command_id_reused": _request(409, "This command was made before with another input.", is_final=True),
    "claim_taken": _request(409, "{message}", is_final=True),
    "account_exists": _request(409, "This account exists already.", is_final=True),
    "account_erased": _request(409, "The personal data of this account was erased.", is_final=True),
    "account_unreadable": _request(
        409, "The personal data of this account cannot be read: its data key is not its own.", is_final=True
    ),
    "key_exists": _request(409, "This API key exists already.", is_final=True),
    "lot_exists": _request(409, "This grant was made already.", is_final=True),
    "too_many_lots": _request(409, "An account has at most {limit} live grants.", is_final=True),
    # ---- providers
    "provider_rate_limited": Row(429, "rate_limit_error", "The provider is limiting requests; try again later.", 1),
    "provider_error": _ours(502, "The provider could not answer."),
    "answer_too_large": _ours(
        502,
        "The answer is too large to be passed on; {cost_usd} USD were charged for it as {generation_id}.",
        is_final=True,
    ),
    "stream_too_large_for_http_1_0": _ours(
        505, "This stream is larger than {limit_bytes} bytes; ask over HTTP/1.1, which sends it as it comes."
    ),
    "deadline_exceeded": _ours(504, "The provider did not answer in time."),
    # ---- shares
    "concurrency_limit": Row(
        429, "rate_limit_error", "This account has {limit} requests under way; send more when one has ended.", 1
    ),
    "unfinished_work_limit": Row(
        429,
        "rate_limit_error",
        "Requests of this account that were left or timed out cost {unpaid_usd} USD in 30 days that nobody paid, more"
        " than the {limit_usd} USD allowed; it is served again from {resets_at}, or when it has settled more.",
        is_final=True,
    ),
    "too_many_failed_keys": Row(
        429, "rate_limit_error", "More than {limit} unknown API keys a minute came from this address; try again later."
    ),
    "too_many_new_keys": Row(
        429, "rate_limit_error", "This account has made {limit} keys within an hour; make more later, or ask an admin."
    ),
    # ---- this gateway
    "internal_error": _ours(500, "Something went wrong here; nothing more can be said. Quote request {request_id}."),
    "overloaded": _ours(503, "Too many requests are waiting; try again later.", 1),
    "ledger_unavailable": _ours(503, "The ledger is out of reach; try again later.", 1),
    "settlement_pending": _ours(
        503,
        "The answer is withheld: its charge could not be recorded in time. It is charged as {generation_id}.",
        5,
        is_final=True,
    ),
    "shutting_down": Row(503, "server_error", "This server is shutting down; try again.", 1, closes=True),
    "position_not_reached": _ours(503, "Position {after} has not been read in yet; try again.", 1),
    # ---- never meant for a client: if one arrives, it is our fault
    "extension_unaffordable": _ours(500, "A reservation could not be extended."),
    "invalid_price": _ours(500, "A price is not valid."),
    "lot_not_due": _ours(500, "A grant has not expired yet."),
    "out_of_range": _ours(500, "A number or time of a reservation or charge is out of its range."),
    "reservation_exists": _ours(500, "A reservation was made twice."),
    "reservation_not_due": _ours(500, "A reservation has not expired yet."),
    "reservation_not_open": _ours(500, "A reservation has ended already."),
    "stale_stream": _ours(500, "A stream changed meanwhile."),
    "unpriced_unit": _ours(500, "A unit has no price."),
    "usage_quarantined": _ours(500, "A provider's usage cannot be true."),
}

FLAT_PRICE = "This request requires more credits: it costs {needed_usd} USD, whatever its max_tokens."
"""Replaces the row's message for insufficient_credits with fact `needed_usd`: fewer tokens would not help."""

KEY_MISTAKES = {
    "none_sent": "No API key was sent; send one as `Authorization: Bearer <key>` or `x-api-key`.",
    "unknown": "This API key is unknown here, or was revoked.",
    "admin_key": "This is the admin key: it opens /admin only. Issue an API key to an account and send that.",
}
"""Fact `mistake` of invalid_api_key -> message."""

BROKEN_OFF = {"timed_out": 504}
"""Error class -> status, where it is not 502 (the provider failed to answer)."""

CLAIMED_AS = {"username": "username", "email": "email", "key_label": "label"}
"""Kind of a claim -> the request's field that makes it."""


_ENCODINGS = ", ".join(ENCODINGS)
"""Of request bodies."""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The answer to a refusal, for an Envelope to write."""

    status: int
    detail: ErrorDetail
    headers: tuple[tuple[bytes, bytes], ...]


def answer_to(refusal: DomainError) -> ErrorAnswer:
    """Look the refusal's code up; its facts fill the message, name `param`, and are shown as `metadata`."""
    row = TABLE.get(refusal.code) or _ours(500, "A refusal without a documented code: {code}.")
    facts = {"code": refusal.code, **refusal.facts, **_derived(refusal)}
    sentence = FLAT_PRICE if "needed_usd" in facts else row.message
    return _answer(row, refusal.code, sentence.format_map(_Known(facts)), _param(facts), refusal.facts)


def answer_to_break(code: str, message: str, facts: Facts) -> ErrorAnswer:
    """The end of a stream with an error that has its own message.

    code: in the table, or a class of provider failures: status 502 unless BROKEN_OFF has another.
    """
    row = TABLE.get(code) or _ours(BROKEN_OFF.get(code, 502), message)
    return _answer(row, code, message, _param(facts), facts)


def _param(facts: Facts) -> str | None:
    param = facts.get("param")
    return param if isinstance(param, str) else None


def _answer(row: Row, code: str, message: str, param: str | None, facts: Facts) -> ErrorAnswer:
    metadata = {name: value for name, value in facts.items() if name not in ("message", "param")}
    return ErrorAnswer(row.status, ErrorDetail(message, row.type, code, param, metadata), _headers(row, facts))


def _headers(row: Row, facts: Facts) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = []
    retry_after_s = facts.get("retry_after_s", row.retry_after_s)
    if isinstance(retry_after_s, int | float):
        headers.append((b"retry-after", b"%d" % retry_after_s))
    if row.is_final or (row.status >= 500 and retry_after_s is None):
        headers.append((b"x-should-retry", b"false"))
    if row.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if row.closes:
        headers.append((b"connection", b"close"))
    if "encoding" in facts:
        headers.append((b"accept-encoding", _ENCODINGS.encode()))
    if "allow" in facts:
        headers.append((b"allow", str(facts["allow"]).encode()))
    if "generation_id" in facts:
        headers.append((b"x-generation-id", str(facts["generation_id"]).encode()))
    return tuple(headers)


class _Known(dict[str, object]):
    """Shows a missing fact as `?`, so that the message is not lost."""

    def __missing__(self, name: str) -> str:
        return "?"


def _derived(refusal: DomainError) -> Facts:
    derive = _DERIVED.get(refusal.code)
    return derive(refusal.facts) if derive is not None else {}


def _limit_sentence(facts: Facts) -> Facts:
    """Names window and reset time (docs/reference/rules.md#keys)."""
    resets_at = facts.get("resets_at")
    reset = f"resets at {resets_at}" if resets_at else "does not reset"
    return {"message": f"This key's {facts.get('window')} spending limit is reached; it {reset}."}


def _claim_sentence(facts: Facts) -> Facts:
    param = CLAIMED_AS.get(str(facts.get("kind")))
    return {"message": f"This {param or 'name'} is taken already.", "param": param}


def _provider_sentence(facts: Facts) -> Facts:
    return {"message": facts.get("message") or "The provider refused this request."}


def _key_sentence(facts: Facts) -> Facts:
    return {"message": KEY_MISTAKES[str(facts.get("mistake", "unknown"))]}


def _media_sentence(facts: Facts) -> Facts:
    if "encoding" not in facts:
        return {"message": "The content type must be application/json."}
    return {"message": f"The content encoding {facts['encoding']} is not read here; {_ENCODINGS} are, and none."}


def _model_sentence(facts: Facts) -> Facts:
    nearest = facts.get("nearest")
    if isinstance(nearest, Sequence) and nearest:
        return {"hint": f"Did you mean {' or '.join(nearest)}?"}
    return {"hint": "GET /v1/models lists those that do."}


_DERIVED: Mapping[str, Callable[[Facts], Facts]] = {
    "invalid_api_key": _key_sentence,
    "key_limit_exceeded": _limit_sentence,
    "claim_taken": _claim_sentence,
    "model_not_found": _model_sentence,
    "unsupported_media_type": _media_sentence,
    "provider_refused_request": _provider_sentence,
    "context_length_exceeded": _provider_sentence,
}
