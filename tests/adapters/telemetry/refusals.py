"""Refusals as the edge tells telemetry of them."""

from application.ports.telemetry import Refusal


def refusal(code: str, status: int = 402, generation_id: str = "") -> Refusal:
    return Refusal(
        code=code,
        status=status,
        message=f"about {code}",
        request_id="req-1",
        method="POST",
        path="/v1/chat/completions",
        generation_id=generation_id,
    )
