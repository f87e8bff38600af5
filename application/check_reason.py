"""Why something was done to an account: an auditor must be able to tell (PRODUCT §3)."""

from domain.errors import DomainError

MIN_REASON = 10
MAX_REASON = 500


def check_reason(reason: str) -> None:
    """Raises: DomainError invalid_request (reason)."""
    if not reason.isprintable():  # it is shown in terminals, logs and exports
        raise DomainError("invalid_request", param="reason", message="reason must be one line of printable characters")
    if not MIN_REASON <= len(reason) <= MAX_REASON:
        message = f"reason must have {MIN_REASON} to {MAX_REASON} characters"
        raise DomainError("invalid_request", param="reason", message=message)
