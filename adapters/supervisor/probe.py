"""Ask our own API whether it is ready."""

import http.client
import urllib.error

from adapters.supervisor.direct import open_direct

TIMEOUT_S = 1.0
"""A connection waits in the shared socket until an API process accepts it."""


class Probe:
    """last_answer: the beginning of the last refusal's body; empty if there was none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.last_answer = ""

    def is_ready(self) -> bool:
        try:
            with open_direct(self._url, TIMEOUT_S) as answer:
                return bool(answer.status == http.HTTPStatus.OK)
        except urllib.error.HTTPError as refusal:
            self.last_answer = refusal.read(300).decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return False  # no process has accepted the connection yet, or the one that did has died
        return False
