"""Faults of ours that a running gateway wrote to its log."""

SIGNS = (
    "unexpected exception",
    "Traceback",
    "Exception in callback",
    "exception was never retrieved",
    "was never awaited",
    "Fatal error on transport",
)


def faults_in(log: str) -> str:
    """The first few lines that name one; empty if none does."""
    lines = [line for line in log.splitlines() if any(sign in line for sign in SIGNS)]
    return "\n".join(lines[:5])[:8_000]
