"""Ways to break what keeps tables of rules complete, and retired events what they meant."""

from tests.sabotage.patch import Patch

RULES = "tests/domain/test_rules.py"

TABLE_PATCHES = (
    Patch(
        "P4",
        "a read model forgets an event",
        "projections/available_credit/project.py",
        "        e.WorkUnpaid: _work_unpaid,\n",
        "",
        f"{RULES}::test_every_event_is_handled_or_ignored",
    ),
    Patch(
        "P4",
        "the proof of money forgets an event",
        "domain/proof/money.py",
        "        e.ShortfallPaid: _Account.shortfall_paid,\n",
        "",
        f"{RULES}::test_every_event_is_handled_or_ignored",
    ),
    Patch(
        "P4",
        "an event without a rule is skipped in silence",
        "domain/rules.py",
        '        raise NoRule(f"no rule handles or ignores {kind.tag}")\n',
        "        return None\n",
        "tests/adapters/postgres_projections/test_parking.py::test_an_event_without_a_rule_parks_its_account",
    ),
)
