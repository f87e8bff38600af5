"""How a provider fails."""

import msgspec

from domain.credit.events import Attempt


class Told(msgspec.Struct, frozen=True):
    """A provider's own words about a request that it refused. Empty where it said nothing."""

    message: str = ""
    param: str | None = None
    code: str = ""
    is_about_length: bool = False


class ProviderFailure(Exception):
    """A provider did not answer, or broke off.

    attempt:           what the ledger keeps of it.
    fails_over:        whether the next offer may be tried (docs/reference/rules.md#failover).
    told:              the provider refused the request itself (400, 422), which is the client's to mend: why.
    words:             what the provider said of its failure, if the client may know: quoted where a stream breaks off.
    retry_after_s:     when the same call may succeed; None if repeating it is in vain.
    unread_bytes:      of an answer, or an event, that is too large to pass on: what came of it. It was produced, so it
                       is charged, by estimate.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        fails_over: bool,
        told: Told | None = None,
        words: str = "",
        retry_after_s: int | None = None,
        unread_bytes: int = 0,
    ) -> None:
        super().__init__(f"{attempt.provider}: {attempt.error_class} (status {attempt.status})")
        self.attempt = attempt
        self.fails_over = fails_over
        self.told = told
        self.words = words
        self.retry_after_s = retry_after_s
        self.unread_bytes = unread_bytes
