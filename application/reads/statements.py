"""An account's statement."""

from collections.abc import Sequence

import msgspec

from application.reads.credits import Credits, LotRecord
from application.reads.generations import GenerationRecord


class Statement(msgspec.Struct, frozen=True):
    """An account's lots and requests, oldest first, all as of one moment; `position` is where the read models stand."""

    credits: Credits
    lots: Sequence[LotRecord]
    requests: Sequence[GenerationRecord]
    position: int
