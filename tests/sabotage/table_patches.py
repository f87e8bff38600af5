"""Ways to break what keeps tables of rules complete, and retired events what they meant."""

from tests.sabotage.patch import Patch

RULES = "tests/domain/test_rules.py"
MEANINGS = "tests/golden/events/test_golden_meanings.py"

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
    Patch(
        "P4",
        "a retired reservation is no longer counted against its key's limit",
        "domain/credit/retired.py",
        "            is_limited=self.is_limited,\n",
        "",
        f"{MEANINGS}::test_P4_a_retired_version_still_means_what_it_meant",
    ),
    Patch(
        "P4",
        "a shortfall that nobody owed is owed once it is read again",
        "domain/credit/retired.py",
        "            owed_nusd=0,\n",
        "            owed_nusd=self.amount_nusd,\n",
        f"{MEANINGS}::test_P4_a_retired_version_still_means_what_it_meant",
    ),
    Patch(
        "P4",
        "a column that nothing fills keeps its default in silence",
        "projections/engine/insert_by_name.py",
        "    if len(paths) > 1 or not (paths or is_partial):\n",
        "    if False:\n",
        "tests/projections/test_tables_by_name.py::test_a_name_that_nothing_has_is_seen_at_once",
    ),
)
