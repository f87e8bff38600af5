"""What the sandbox served, by model: what tests hold the ledger against."""

import msgspec


class ModelServed(msgspec.Struct):
    """Counts since the start.

    requests:     arrived, whatever came of them.
    answered:     answers sent to their end.
    disconnected: callers that left before.
    tokens:       honest counts of what was sent, also by models that claim something else; of a cut stream, until then.
    """

    requests: int = 0
    answered: int = 0
    disconnected: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Served:
    def __init__(self) -> None:
        self._models: dict[str, ModelServed] = {}

    def of(self, model: str) -> ModelServed:
        return self._models.setdefault(model, ModelServed())

    def as_json(self) -> bytes:
        return msgspec.json.encode({"models": self._models})
