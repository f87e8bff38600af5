"""Personal text of an input is in clear nowhere but at the edge: a canary in it must not come out of any other way."""

import copy
import pickle
from collections.abc import Callable
from typing import get_origin

import msgspec
import pytest
import structlog

from application import use_cases
from application.accounts.change_account_state import ChangeAccountState
from application.accounts.open_account import OpenAccount
from application.credit.grant_credit import GrantCredit
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssueKey
from application.sealed import Sealed, personal_fields, read_sealed
from application.write import Input

CANARY = "canary of ada's own words"

INPUTS: list[Input] = [
    OpenAccount(username=Sealed(CANARY), email=Sealed(CANARY)),
    ChangeAccountState(state="active", reason=Sealed(CANARY)),
    GrantCredit(amount_usd="1", kind="promo", reason=Sealed(CANARY)),
    IssueKey(label=Sealed(CANARY), environment="live"),
    ChangeKey(label=Sealed(CANARY)),
]

WAYS_TO_PRINT: dict[str, Callable[[Input], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda wanted: f"{wanted}",
    "percent": lambda wanted: "%s %r" % (wanted, wanted),  # noqa: UP031 - as loggers do
    "as a dict": lambda wanted: repr(msgspec.structs.asdict(wanted)),
    "log": lambda wanted: structlog.processors.KeyValueRenderer()(None, "info", {"event": wanted}).__str__(),
    "traceback": lambda wanted: repr(ValueError(wanted)),
}

WAYS_TO_ENCODE: dict[str, Callable[[object], object]] = {
    "JSON": msgspec.json.encode,
    "msgpack": msgspec.msgpack.encode,
    "builtins": msgspec.to_builtins,
    "pickle": pickle.dumps,
    "deep copy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS_TO_PRINT)
@pytest.mark.parametrize("wanted", INPUTS, ids=lambda wanted: type(wanted).__name__)
def test_printed_it_is_hidden(wanted: Input, way: str) -> None:
    assert CANARY not in WAYS_TO_PRINT[way](wanted)


@pytest.mark.parametrize("way", WAYS_TO_ENCODE)
@pytest.mark.parametrize("wanted", INPUTS, ids=lambda wanted: type(wanted).__name__)
def test_it_cannot_be_encoded(wanted: Input, way: str) -> None:
    with pytest.raises(TypeError):
        WAYS_TO_ENCODE[way](wanted)


def test_every_input_with_a_personal_field_is_tried_here() -> None:
    known = {kind for kind in vars(use_cases).values() if isinstance(kind, type) and issubclass(kind, Input)}
    assert {kind for kind in known if personal_fields(kind)} == {type(wanted) for wanted in INPUTS}
    assert len(known) > len(INPUTS)


@pytest.mark.parametrize("name", ["reason", "username", "email", "label", "title", "address", "phone"])
def test_what_is_personal_by_its_name_is_sealed(name: str) -> None:
    kinds = [kind for kind in vars(use_cases).values() if isinstance(kind, type) and issubclass(kind, Input)]
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            if field.name == name:
                parts = (field.type, *getattr(field.type, "__args__", ()))
                assert any(get_origin(part) is Sealed for part in parts), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(("value", "name"), [("5", "int"), ("null", "null"), ("[]", "array"), ("true", "bool")])
def test_a_body_with_another_type_is_refused_as_any_text_is(value: str, name: str) -> None:
    body = b'{"state": "active", "reason": %s}' % value.encode()
    with pytest.raises(msgspec.ValidationError, match=f"Expected `str`, got `{name}` - at `\\$.reason`"):
        msgspec.json.decode(body, type=ChangeAccountState, dec_hook=read_sealed)
