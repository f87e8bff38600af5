"""The column `app`: an application's origin, and behind a mark what it calls itself, sealed, in base64.

One column holds both, so that the table needs no new version. What credit.reserved.v1 has in clear, an origin or a
title, is ASCII and never has the mark.
"""

from base64 import b64decode, b64encode

MARK = "§"


def app_text(app: str, sealed_title: bytes) -> str:
    return f"{app}{MARK}{b64encode(sealed_title).decode()}" if sealed_title else app


def app_and_title(text: str) -> tuple[str, bytes]:
    app, _, sealed_title = text.partition(MARK)
    return app, b64decode(sealed_title)
