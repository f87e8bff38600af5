"""Asking our own API whether it is ready."""

import http.client
import urllib.error

from adapters.supervisor.direct import open_direct

TIMEOUT_S = 1.0
"""A connection waits in the shared socket until an API process takes it."""


class Probe:
    """last_answer: the beginning of what it said last; empty if it never said anything."""

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
            return False  # nobody took the connection yet, or whoever did has died
        return False
