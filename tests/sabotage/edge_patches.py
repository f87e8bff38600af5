"""The HTTP edge: take a bound away, and its test must notice."""

from tests.sabotage.patch import Patch

EDGE = "adapters/inbound/http/edge"
PROTOCOL = f"{EDGE}/protocol.py"
HTTP = "tests/adapters/http"
TEST = f"{HTTP}/test_protocol.py"
MATRIX = f"{HTTP}/test_route_matrix.py"

EDGE_PATCHES = (
    Patch(
        "P8",
        "a head of any size is kept",
        PROTOCOL,
        "return end if self._head_bytes + end - start <= MAX_HEAD_BYTES else None",
        "return end",
        f"{TEST}::test_a_larger_head_is_431_and_the_connection_ends",
    ),
    Patch(
        "P8",
        "a head has any number of fields",
        PROTOCOL,
        "if self._fields > MAX_FIELDS:",
        "if False:",
        f"{TEST}::test_a_hundred_fields_are_answered_and_one_more_is_431",
    ),
    Patch(
        "P8",
        "a connection may be silent for ever",
        PROTOCOL,
        "self.flow = _HeldFlow(transport, self._has_waiting)\n        self._await_head()",
        "self.flow = _HeldFlow(transport, self._has_waiting)",
        f"{TEST}::test_a_head_that_does_not_come_in_time_ends_the_connection",
    ),
    Patch(
        "P8",
        "every pipelined head becomes a request at once",
        PROTOCOL,
        "if len(self.pipeline) >= MAX_PIPELINED and not self._in_body:",
        "if False:",
        f"{TEST}::test_five_thousand_pipelined_requests_are_all_answered",
    ),
    Patch(
        "P8",
        "reading goes on while requests wait",
        PROTOCOL,
        "if not self.has_waiting():",
        "if True:",
        f"{TEST}::test_no_more_than_eight_requests_wait_and_nothing_more_is_read",
    ),
    Patch(
        "P8",
        "what surrounds the pieces of a body is read without end",
        PROTOCOL,
        "if self._in_body and self._head_bytes > MAX_HEAD_BYTES and not self._is_over:",
        "if False:",
        f"{TEST}::test_what_surrounds_the_pieces_of_a_body_is_bounded",
    ),
    Patch(
        "P2",
        "any number of Host headers is taken",
        PROTOCOL,
        'if self._hosts > 1 or (self._hosts == 0 and version != "1.0"):',
        "if False:",
        f"{TEST}::test_one_host_and_no_second",
    ),
    Patch(
        "P2",
        "a trailer passes for a header",
        PROTOCOL,
        "if self._in_body:\n            return  # a trailer",
        "if False:\n            return  # a trailer",
        f"{TEST}::test_trailers_are_no_headers",
    ),
    Patch(
        "P2",
        "the body of an upgrade request is read as the next request",
        PROTOCOL,
        "self._is_raw = True\n            return",
        "pass",
        f"{TEST}::test_a_request_that_asks_for_an_upgrade_keeps_its_body",
    ),
    Patch(
        "P8",
        "bodies are read before the key is known",
        "adapters/inbound/http/callers.py",
        ", _: Annotated[object, Depends(sent_by)]) -> msgspec.Struct:",
        ") -> msgspec.Struct:",
        MATRIX,
    ),
    Patch(
        "P8",
        "every route reads as large a body as a generation's",
        "adapters/inbound/http/callers.py",
        "body_bytes=min(gateway.limits.body_bytes, MAX_BODY_BYTES)",
        "body_bytes=gateway.limits.body_bytes",
        MATRIX,
    ),
    Patch(
        "P2",
        "of two keys one wins silently",
        "adapters/inbound/http/request_headers.py",
        "if len(self.secrets) > 1:",
        "if False:",
        f"{HTTP}/test_credentials.py",
    ),
)
