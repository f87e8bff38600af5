"""Make the secret of a key, which is shown once and never stored."""

from typing import NamedTuple

from application.write import Ports
from domain.api_key.events import Environment, Secret
from domain.api_key.secret_form import write_secret
from domain.claim import Claim


class MadeSecret(NamedTuple):
    """`text` is the only copy; `claim` makes the secret unique to one key."""

    text: str
    hashed: Secret

    @property
    def claim(self) -> Claim:
        return Claim("key_secret", self.hashed.hash)


def make_secret(ports: Ports, environment: Environment) -> MadeSecret:
    text = write_secret(environment, ports.ids.secret())
    return MadeSecret(text, Secret(ports.personal_data.keyed_hash("key_secret", text), text[-4:]))
