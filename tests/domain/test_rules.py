"""A table of rules by event type names every event: what it handles, and what it ignores."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, get_args, get_type_hints

import pytest
from msgspec.structs import replace

import domain
import projections
from domain.aggregates import AGGREGATES
from domain.credit.events import CreditEvent, Granted, Released
from domain.event import Event
from domain.proof import access, money
from domain.proof.access import AccessWalk
from domain.proof.money import MoneyWalk
from domain.rules import Named, NoRule, Rules, current_events
from projections.engine.registry import BUILDS
from tests.golden.events.samples import AT
from tests.rigs.running import ROOT

TABLES: dict[str, Named] = {
    "money": money.RULES,
    "access": access.RULES,
    **{f"{build.name} {build.build}": build.rules for build in BUILDS if build.rules is not None},
}

READ_BY = {
    "account": {"access", "api_key v1"},
    "key": {"access", "api_key v1"},
    "credit": TABLES.keys() - {"access"},
}
"""By aggregate, the tables that answer for each of its events. A new aggregate has its row here, even if none does."""


class Toy(Event, frozen=True, kw_only=True):
    """A new event that was written into its aggregate's union, and nowhere else."""

    tag: ClassVar[str] = "credit.toy.v1"


def unnamed(rules: Named) -> set[type[Event]]:
    """Events that are in neither list, or in both."""
    every = {kind for name in AGGREGATES for kind in current_events(name)}
    return (every - rules.handles - rules.ignores) | (rules.handles & rules.ignores)


def test_every_build_has_a_table_of_rules() -> None:
    assert [build.name for build in BUILDS if build.rules is None] == []


def test_every_table_is_tried_here() -> None:
    assert {id(rules) for rules in found_tables()} == {id(rules) for rules in TABLES.values()}


def found_tables() -> Iterator[Named]:
    for package in (domain, projections):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            named = vars(importlib.import_module(module.name))
            yield from (value for value in named.values() if isinstance(value, Rules))


def test_nothing_in_domain_or_projections_skips_an_event_that_it_does_not_know() -> None:
    sources = [file for folder in ("domain", "projections") for file in (ROOT / folder).rglob("*.py")]
    assert [file.name for file in sources if skips(file)] == []


def skips(file: Path) -> bool:
    return re.search(r"\.get\(type\(|\bin type\(", file.read_text()) is not None


@pytest.mark.parametrize("name", TABLES)
def test_every_event_is_handled_or_ignored(name: str) -> None:
    assert unnamed(TABLES[name]) == set()


@pytest.mark.parametrize("name", sorted(READ_BY["credit"]))
def test_a_new_event_that_a_table_does_not_name_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    credit = AGGREGATES["credit"]
    monkeypatch.setitem(AGGREGATES, "credit", replace(credit, events=(*credit.events, Toy)))
    assert unnamed(TABLES[name]) == {Toy}


def test_an_event_that_is_handled_and_ignored_is_seen() -> None:
    rules = Rules(["credit"], {Granted: "a rule"}, ignores=get_args(CreditEvent))
    assert unnamed(rules) == {Granted}


def test_every_aggregate_is_read_by_the_tables_that_are_named_for_it() -> None:
    assert {name: {t for t, rules in TABLES.items() if name in rules.aggregates} for name in AGGREGATES} == READ_BY


@pytest.mark.parametrize("name", TABLES)
def test_a_rule_takes_the_event_that_it_stands_for(name: str) -> None:
    rules = TABLES[name]
    assert isinstance(rules, Rules)
    for kind in rules.handles:
        *_, taken = (hint for hint in get_type_hints(rules[kind]).items() if hint[0] != "return")
        assert kind in (get_args(taken[1]) or [taken[1]]), (kind, rules[kind])


def test_an_event_without_a_rule_is_refused_by_a_table() -> None:
    rules = Rules(["credit"], {Granted: "a rule"}, ignores=[Released])
    assert (rules[Granted], rules[Released]) == ("a rule", None)
    with pytest.raises(NoRule, match=r"credit\.toy\.v1"):
        rules[Toy]


def test_verify_names_an_event_without_a_rule() -> None:
    found = MoneyWalk().walk(7, "credit-acct", Toy(at=AT))
    assert found is not None
    assert (found.position, found.place) == (7, "credit-acct")
    assert "credit.toy.v1" in found.message
    walk = AccessWalk()
    walk.walk(8, "key-k", Toy(at=AT))
    _, findings = walk.compare([], {}, None)
    assert [(f.position, f.place) for f in findings] == [(8, "key-k")]


@pytest.mark.parametrize("name", AGGREGATES)
def test_whose_stream_it_is_follows_from_its_decider(name: str) -> None:
    """Where the id behind the prefix is not the account's, each event says whose it is."""
    if not AGGREGATES[name].has_account_streams:
        assert [kind.tag for kind in AGGREGATES[name].events if "account_id" not in kind.__struct_fields__] == []
