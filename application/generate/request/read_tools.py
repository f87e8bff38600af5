"""Tools that a provider runs have costs that no price here covers: only functions, which the client runs, pass."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from application.generate.request.members import (
    Members,
    distinct,
    first_byte,
    members_of,
    raw_objects_of,
    written,
)
from domain.errors import DomainError

MAX_TOOL_MEMBERS = 10_000
"""Of all tools together: OpenAI takes 128 tools, each with two or three."""

_TYPE = frozenset({"type"})

_ONLY_WITH_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
"""Providers refuse the last two without the first."""


def cut_foreign_tools(members: Members, found: dict[str, Raw]) -> tuple[Members, tuple[str, ...]]:
    """`members` with functions as their only tools, and the names of what was cut, in order.

    found: the members by name; `tools` and `tool_choice` are read.
    Raises: DomainError invalid_request, duplicate_member.
    """
    raw = found.get("tools")
    if raw is None and "tool_choice" not in found:
        return members, ()
    tools = _tools(raw)
    foreign = {i for i, tool in enumerate(tools) if not _is_function(tool, f"tools[{i}]")}
    out: set[str] = set()
    if tools and len(foreign) == len(tools):
        out |= _ONLY_WITH_TOOLS
    elif "tool_choice" in found and _names_foreign(found["tool_choice"], "tool_choice"):
        out.add("tool_choice")
    if not foreign and not out:
        return members, ()
    sent = [
        (name, _without(value, foreign) if name == "tools" else value) for name, value in members if name not in out
    ]
    named = (out - {"tools"}).intersection(name for name, _ in members)
    return sent, (*(f"tools[{i}]" for i in sorted(foreign)), *sorted(named))


def _tools(raw: Raw | None) -> Sequence[Members]:
    if raw is None or first_byte(raw) == b"n":
        return []
    try:
        return raw_objects_of(raw, most_members=MAX_TOOL_MEMBERS)
    except msgspec.ValidationError:
        raise DomainError("invalid_request", param="tools", message="tools must be a list of objects") from None


def _is_function(tool: Members, where: str) -> bool:
    return _type_of(tool, where) == "function"


def _type_of(members: Members, where: str) -> str:
    raw = distinct(members, _TYPE, f"{where}.").get("type")
    return str(msgspec.json.decode(raw)) if raw is not None and first_byte(raw) == b'"' else ""


def _names_foreign(choice: Raw, where: str) -> bool:
    """A word ("auto", "required") names none; OpenAI's allowed_tools names several."""
    if first_byte(choice) != b"{":
        return False
    members = members_of(choice)
    type_ = _type_of(members, where)
    if type_ != "allowed_tools":
        return type_ != "function"
    raw = distinct(members, frozenset({"allowed_tools"}), f"{where}.").get("allowed_tools")
    if raw is None or first_byte(raw) != b"{":
        return True
    where = f"{where}.allowed_tools"
    tools = distinct(members_of(raw), frozenset({"tools"}), f"{where}.").get("tools")
    try:
        listed = () if tools is None else raw_objects_of(tools, most_members=MAX_TOOL_MEMBERS)
    except msgspec.ValidationError:
        return True
    return not all(_is_function(tool, f"{where}.tools[{i}]") for i, tool in enumerate(listed))


def _without(tools: Raw, foreign: set[int]) -> Raw:
    kept = (tool for i, tool in enumerate(raw_objects_of(tools, most_members=MAX_TOOL_MEMBERS)) if i not in foreign)
    return Raw(b"[" + b",".join(map(written, kept)) + b"]")
