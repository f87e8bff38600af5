"""A refusal as the bytes of a whole answer, for requests that reach no route."""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.inbound.http.edge.write_head import Field, write_head
from adapters.inbound.http.errors.envelopes import OPENAI
from adapters.inbound.http.errors.table import answer_to
from adapters.inbound.http.server.boundary import new_request_id
from application.ports.telemetry import Refusal
from domain.errors import DomainError


class WrittenRefusal(NamedTuple):
    """whole: head and body. refusal: as operators see it."""

    whole: bytes
    refusal: Refusal


def refusal_bytes(error: DomainError, default_headers: Sequence[Field] = ()) -> WrittenRefusal:
    answer, request_id = answer_to(error), new_request_id()
    code, message = answer.detail.code, answer.detail.message
    body = OPENAI.whole(answer.status, answer.detail)
    fields = [
        *default_headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *answer.headers,
    ]
    refusal = Refusal(code=code, status=answer.status, message=message, request_id=request_id)
    return WrittenRefusal(write_head(answer.status, fields) + body, refusal)
