"""An answer's status line and fields, as bytes."""

from collections.abc import Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

Field = tuple[bytes, bytes]

_CONTROLS = bytes(byte for byte in (*range(0x20), 0x7F) if byte != ord("\t"))


def write_head(status: int, fields: Sequence[Field]) -> bytes:
    """The head, with the empty line that ends it.

    A value may hold what a client sent, such as the name of a parameter. A line end in it would begin a field, or an
    answer, that is not ours: the CR and LF that stand between our lines must be the head's only control characters.

    fields:  names in lower case, as ASGI demands; they are constants of ours and of FastAPI.
    Raises:  RuntimeError if a field has a control character.
    """
    lines = b"\r\n".join([b": ".join(field) for field in fields])
    head = b"%b%b\r\n\r\n" % (STATUS_LINE[status], lines)
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * (len(fields) + 2):
        raise RuntimeError("a field of an answer has a control character")
    return head
