"""One way to break a promise on purpose."""

from typing import NamedTuple


class Patch(NamedTuple):
    """Replace `old`, which must occur exactly once in `file`, by `new`; then `test` must fail."""

    promise: str
    what: str
    file: str
    old: str
    new: str
    test: str
