"""The column `app`: an application's origin, then a mark and its title, sealed, in base64.

One column holds both, so that the table needs no new version. The origin or title that credit.reserved.v1 has in clear
is ASCII and never contains the mark.
"""

from base64 import b64decode, b64encode

MARK = "§"


def app_text(app: str, sealed_title: bytes) -> str:
    return f"{app}{MARK}{b64encode(sealed_title).decode()}" if sealed_title else app


def app_and_title(text: str) -> tuple[str, bytes]:
    app, _, sealed_title = text.partition(MARK)
    return app, b64decode(sealed_title)
