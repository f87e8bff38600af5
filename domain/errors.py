"""The one way to refuse: the code names the rule; the edge writes the sentence from the facts
(docs/reference/errors.md)."""


class DomainError(Exception):
    """A refusal: `code` is stable and documented, `facts` are JSON-ready values for the message and metadata.

    Never carries a secret, prompt text or personal data: it is logged and shown to the caller.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}({shown})"
