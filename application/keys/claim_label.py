"""The label of a key: its rule, and its claim, which makes it unique in the account."""

from application.sealed import Rule
from application.write import Ports
from domain.claim import Claim
from domain.errors import DomainError

LABEL_MAX = 100


class Label(Rule):
    @staticmethod
    def check(text: str) -> None:
        if not 0 < len(text) <= LABEL_MAX or not text.isprintable():
            raise DomainError("invalid_request", param="label", message=f"1 to {LABEL_MAX} printable characters")


def label_claim(ports: Ports, account_id: str, label: str) -> Claim:
    """Labels that differ only in case have the same claim."""
    return Claim("key_label", ports.personal_data.keyed_hash("key_label", f"{account_id} {label.casefold()}"))
