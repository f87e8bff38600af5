"""Parameters for the sandbox in the body's `sandbox` object; a gateway passes them on unchanged."""

import msgspec

MAX_DELAY_S = 600.0
MAX_WORDS = 100_000


class Directions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All optional.

    delay_s:       before the first byte (the default of `slow` is 2 s).
    chunk_delay_s: before each token of a stream.
    words:         length of the answer in tokens: the echo is repeated or cut to it.
    """

    delay_s: float | None = None
    chunk_delay_s: float = 0.0
    words: int | None = None

    def __post_init__(self) -> None:
        if not all(0 <= delay_s <= MAX_DELAY_S for delay_s in (self.delay_s or 0.0, self.chunk_delay_s)):
            raise ValueError(f"delays are 0 to {MAX_DELAY_S} s")
        if self.words is not None and not 1 <= self.words <= MAX_WORDS:
            raise ValueError(f"words is 1 to {MAX_WORDS}")
