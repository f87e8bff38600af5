"""How a provider fails."""

import msgspec

from domain.credit.events import Attempt


class Explanation(msgspec.Struct, frozen=True):
    """A provider's own explanation of a request that it refused; empty where it gave none."""

    message: str = ""
    param: str | None = None
    code: str = ""
    is_about_length: bool = False


class ProviderFailure(Exception):
    """A provider did not answer, or broke off.

    attempt:           the ledger's record of it.
    fails_over:        whether the next offer may be tried (docs/reference/rules.md#failover).
    explanation:       why the provider refused the request itself (400, 422), for the client to fix; else None.
    words:             the provider's message about its failure, if the client may see it: quoted when a stream breaks
                       off.
    retry_after_s:     when the same call may succeed; None if a retry is useless.
    unread_bytes:      bytes received of an answer or event that is too large to pass on. They were produced, so they
                       are charged by estimate.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        fails_over: bool,
        explanation: Explanation | None = None,
        words: str = "",
        retry_after_s: int | None = None,
        unread_bytes: int = 0,
    ) -> None:
        super().__init__(f"{attempt.provider}: {attempt.error_class} (status {attempt.status})")
        self.attempt = attempt
        self.fails_over = fails_over
        self.explanation = explanation
        self.words = words
        self.retry_after_s = retry_after_s
        self.unread_bytes = unread_bytes
