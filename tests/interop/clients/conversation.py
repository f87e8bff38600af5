"""How a client program talks with its test: a line of JSON for each deed, a line for what came of it.

in   {"do": "chat", "url": "http://…/api/v1", "key": "gw_…", …}
out  {"done": …} or {"refused": {"kind": class of the client's error, "status": HTTP's or null, "text": what it says}}
"""

import json
import os
import sys
from collections.abc import Callable, Mapping


class StreamBroke(Exception):
    """The client handed out a chunk that says that its stream ended in an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status


def converse(deeds: Mapping[str, Callable[..., object]]) -> None:
    """Until stdin ends. What a client prints goes to stderr."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        deed = deeds[asked.pop("do")]
        try:
            came = {"done": deed(**asked)}
        except Exception as refused:  # noqa: BLE001 - whichever class a client raises is what the test asks about
            came = {"refused": _described(refused)}
        print(json.dumps(came, default=str), file=told, flush=True)


def _described(refused: Exception) -> dict[str, object]:
    status = getattr(refused, "status_code", None)
    text = f"{refused} {getattr(refused, 'body', '')}"
    return {"kind": type(refused).__name__, "status": status, "text": text}
