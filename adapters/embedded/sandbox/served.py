"""What the sandbox served, by model; tests compare the ledger with it."""

import msgspec


class ModelServed(msgspec.Struct):
    """Counts since the start.

    requests:     requests received, with any outcome.
    answered:     answers sent to their end.
    disconnected: clients that left before the end.
    tokens:       true counts of what was sent, whatever usage the model claims; of a cut stream, up to the cut.
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
