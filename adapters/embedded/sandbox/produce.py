"""The answer of `echo`, determined by the request alone."""

from itertools import cycle, islice

import msgspec

from adapters.embedded.sandbox.directions import Directions
from adapters.embedded.sandbox.tokens import count_prompt, text_of, tokens_of

MAX_CHOICES = 128
NOTHING = "(nothing to echo)"


class Refused(Exception):
    """The request is invalid; `param` names the field."""

    def __init__(self, param: str | None, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.message = message
        self.status = status


class Function(msgspec.Struct):
    """A tool that the request offers."""

    name: str
    parameters: object = None


class Produced(msgspec.Struct, frozen=True, kw_only=True):
    """An answer before it is written.

    tokens:   the text, or the arguments of the tool call, of one choice; all `choices` are alike.
    function: name of the function called, if the answer is a tool call.
    """

    tokens: list[str]
    choices: int
    finish_reason: str
    prompt_tokens: int
    function: str | None = None

    @property
    def completion_tokens(self) -> int:
        return len(self.tokens) * self.choices

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def produce(body: dict[str, object], directions: Directions) -> Produced:
    """Echo the last user message; call the tool instead if one is offered and the last message is not its result.

    Raises: Refused for messages, n or a token limit that OpenAI would refuse too.
    """
    messages = _messages(body)
    limit = min(_integer(body, "max_tokens", 10**9), _integer(body, "max_completion_tokens", 10**9))
    spoken = next((text_of(message) for message in reversed(messages) if message.get("role") == "user"), "")
    tool = _tool_to_call(body, messages)
    schema = tool.parameters if tool else _asked_schema(body)
    whole = tokens_of(spoken if schema is None and not tool else _filled(schema, spoken)) or tokens_of(NOTHING)
    if directions.words is not None and not tool:
        whole = _of_length(whole, directions.words)
    ended = "tool_calls" if tool else "stop"
    return Produced(
        tokens=whole[:limit],
        choices=_integer(body, "n", 1, MAX_CHOICES),
        finish_reason=ended if len(whole) <= limit else "length",
        prompt_tokens=count_prompt(messages),
        function=tool.name if tool else None,
    )


def _of_length(tokens: list[str], length: int) -> list[str]:
    spaced = [token if token[0].isspace() else f" {token}" for token in tokens]
    return [tokens[0], *islice(cycle([*spaced[1:], spaced[0]]), length - 1)]


def _messages(body: dict[str, object]) -> list[dict[str, object]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise Refused("messages", "'messages' must be a list of at least one message.")
    return messages


def _integer(body: dict[str, object], param: str, default: int, highest: int = 10**9) -> int:
    value = body.get(param)
    if value is None:
        return default
    if type(value) is not int or not 1 <= value <= highest:
        raise Refused(param, f"'{param}' must be an integer from 1 to {highest}.")
    return value


def _tool_to_call(body: dict[str, object], messages: list[dict[str, object]]) -> Function | None:
    """The function named by `tool_choice`, else the first; none after a tool result or for tool_choice "none"."""
    tools = _tools(body)
    choice = body.get("tool_choice")
    if not tools or choice == "none" or messages[-1].get("role") == "tool":
        return None
    named = choice["function"]["name"] if isinstance(choice, dict) else tools[0].name
    found = [tool for tool in tools if tool.name == named]
    if not found:
        raise Refused("tool_choice", f"Tool choice '{named}' is not in 'tools'.")
    return found[0]


def _tools(body: dict[str, object]) -> list[Function]:
    offered = body.get("tools")
    listed = offered if isinstance(offered, list) else []
    functions = [tool["function"] for tool in listed if isinstance(tool, dict) and "function" in tool]
    try:
        return msgspec.convert(functions, list[Function])
    except msgspec.ValidationError as error:
        raise Refused("tools", str(error)) from error


def _asked_schema(body: dict[str, object]) -> dict[str, object] | None:
    """The schema in `response_format`; for json_object one of ours. None if the answer is plain text."""
    asked = body.get("response_format")
    asked = asked if isinstance(asked, dict) else {}
    if asked.get("type") == "json_object":
        return {"properties": {"echo": {"type": "string"}}}
    described = asked.get("json_schema")
    schema = described.get("schema") if asked.get("type") == "json_schema" and isinstance(described, dict) else None
    return schema if isinstance(schema, dict) else None


def _filled(schema: object, spoken: str) -> str:
    """JSON with a value for each property of the schema; its texts are `spoken`. If `spoken` is such an object, it is
    returned."""
    properties = _properties(schema)
    if _is_object_of(spoken, properties):
        return spoken
    return msgspec.json.encode({name: _example(one, spoken) for name, one in properties.items()}).decode()


def _properties(schema: object) -> dict[str, object]:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def _is_object_of(spoken: str, properties: dict[str, object]) -> bool:
    try:
        said = msgspec.json.decode(spoken)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(said, dict) and said.keys() == properties.keys()


def _example(schema: object, spoken: str) -> object:
    schema = schema if isinstance(schema, dict) else {}
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: _example(one, spoken) for name, one in _properties(schema).items()}
    examples = {"string": spoken, "integer": 1, "number": 1.5, "boolean": True, "array": []}
    kind = schema.get("type", "string")
    return examples.get(kind, spoken) if isinstance(kind, str) else spoken
