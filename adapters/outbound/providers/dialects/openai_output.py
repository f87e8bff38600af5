"""The size of the output, for estimates: UTF-8 bytes of text, reasoning, refusals and tool calls."""

from application.generate.metering.billed_texts import texts_of_message


def output_bytes_of(choices: list[dict[str, object]], part: str) -> int:
    """Bytes in all choices; `part` is "message" or, in a stream, "delta"."""
    return sum([bytes_of_text(text) for choice in choices for text in texts_of_message(choice.get(part))])


def bytes_of_text(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
