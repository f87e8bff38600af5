"""A provider receives exactly the client's members, but for those that are ours to write or to leave out."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import dropped, write_request
from adapters.outbound.providers.dialects.openai_request import ANSWERED_HERE, EXTRAS, OURS
from adapters.outbound.providers.offers.rows import PRICED_OR_REMOTE
from application.generate.request.read_chat_request import READ, TOKEN_FIELDS, read_body
from domain.errors import DomainError
from tests.adapters.providers.call_words import a_call, an_endpoint

GRANTED = 77
MESSAGES = '[{"role":"user","content":"h\\u00e9llo"}]'

TOKENS = st.sampled_from(
    ["1", "-0", "1.50", "1E2", "123456789012345678901", "true", "null", '""', '"\\u00e9\\/\\""', '"é😀"', "{}", "[]"]
)
SPACE = st.sampled_from(["", " ", "\n", "\t\r\n "])


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(['"a"', '"b"', '"usage"', '"model"'])
    pairs = st.tuples(names, SPACE, inner).map(lambda p: f"{p[0]}{p[1]}:{p[2]}")
    return st.lists(inner, max_size=3).map(lambda of: f"[{', '.join(of)}]") | st.lists(pairs, max_size=3).map(
        lambda of: f"{{ {','.join(of)} }}"
    )


VALUES = st.recursive(TOKENS, nested, max_leaves=6)
FREE_NAMES = st.sampled_from(["temperature", "seed", "x", "é", 'quo"te', "Model", "max_tokens ", "response_format"])
LEFT_OUT = st.sampled_from(sorted({*PRICED_OR_REMOTE, *EXTRAS} - {"provider"}))
LIMITS = st.dictionaries(st.sampled_from(TOKEN_FIELDS), st.sampled_from(["null", "1", "100", "100.0", "9000"]))


@st.composite
def bodies(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Members in any order, with duplicates of those that are not read."""
    free = draw(st.lists(st.tuples(FREE_NAMES | LEFT_OUT, VALUES), max_size=8))
    ours = [("model", '"acme/model"'), ("messages", MESSAGES), *draw(LIMITS).items()]
    if draw(st.booleans()):
        ours.append(("stream", draw(st.sampled_from(["true", "false", "null"]))))
    if draw(st.booleans()):
        ours.append(("stream_options", draw(st.sampled_from(["null", "{}", '{"include_usage":false,"x":1.0}']))))
    return draw(st.permutations([*free, *ours]))


def written(members: list[tuple[str, str]], space: str = "") -> bytes:
    return (
        "{" + ",".join(f"{space}{json.dumps(name)}{space}:{space}{value}{space}" for name, value in members) + "}"
    ).encode()


def pairs(raw: bytes) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = json.loads(raw, object_pairs_hook=list, parse_float=str, parse_int=str)
    return found


@given(bodies(), SPACE, st.booleans(), st.booleans())
@settings(max_examples=400)
def test_the_provider_gets_the_clients_members_and_ours(
    members: list[tuple[str, str]], space: str, streaming: bool, is_newer: bool
) -> None:
    raw = written(members, space)
    request = read_body(raw)
    endpoint = an_endpoint("max_completion_tokens") if is_newer else an_endpoint()
    call = msgspec.structs.replace(a_call(max_tokens=GRANTED), members=request.members)
    sent = write_request(call, endpoint, streaming=streaming)

    left_out = {*PRICED_OR_REMOTE, *EXTRAS}
    kept = [(name, value) for name, value in pairs(raw) if name not in OURS | left_out]
    assert [(name, value) for name, value in pairs(sent) if name not in OURS] == kept
    for name, value in members:
        if name not in OURS | left_out:
            assert value.encode() in sent

    ours = dict(json.loads(sent))
    assert (ours["model"], ours["stream"]) == ("native-model", streaming)
    assert [ours[name] for name in TOKEN_FIELDS if name in ours] == [GRANTED]
    assert ours.get("stream_options", {}).get("include_usage", False) is streaming
    names = {name for name, _ in members}
    assert set(dropped(names, endpoint)) == (names & left_out) - ANSWERED_HERE
    assert request.prompt_bytes == len(raw)


@given(bodies(), st.sampled_from(sorted(READ)), VALUES, st.integers(0, 20), st.integers(0, 20))
def test_a_second_member_of_a_name_that_is_read_is_refused(
    members: list[tuple[str, str]], name: str, value: str, first: int, second: int
) -> None:
    others = [(found, held) for found, held in members if found != name]
    others.insert(first, (name, value))
    others.insert(second, (name, value))
    with pytest.raises(DomainError) as refused:
        read_body(written(others))
    assert (refused.value.code, refused.value.facts["param"]) == ("duplicate_member", name)
