"""Ways to break what docs/explanation/money.md says of shortfalls and of work that nobody pays."""

from tests.sabotage.patch import Patch

OWED = "tests/domain/test_credit_owed.py"

WHO_PAYS_PATCHES = (
    Patch(
        "P6",
        "promo credit pays a shortfall",
        "domain/credit/decide.py",
        'if granted.kind != "purchased" or paid_nusd == 0:',
        "if paid_nusd == 0:",
        f"{OWED}::test_credit_that_was_not_bought_never_pays",
    ),
    Patch(
        "P6",
        "a shortfall that was recorded before shortfalls were owed is charged",
        "domain/credit/events.py",
        'return self.cause != "absorbed"',
        "return True",
        f"{OWED}::test_a_shortfall_of_version_1_is_never_charged",
    ),
    Patch(
        "P6",
        "a purchased lot pays more than is owed",
        "domain/credit/decide.py",
        "paid_nusd = min(state.owed_nusd, granted.amount_nusd)",
        "paid_nusd = granted.amount_nusd if state.owed_nusd else 0",
        "tests/laws/test_credit_machine.py::test_p2_p3_credit_balance_agrees_with_its_model",
    ),
    Patch(
        "P7",
        "verify takes any payment of a shortfall",
        "domain/proof/money.py",
        "        if self.owed_nusd < 0:\n",
        "        if False:\n",
        f"{OWED}::test_verify_finds_a_payment_of_what_is_not_owed",
    ),
    Patch(
        "P7",
        "a paid shortfall is earned twice",
        "projections/ledger_entries/project.py",
        '(position, 3, "uncollected:served", -amount, tag, lot_id),',
        '(position, 3, "uncollected:served", 0, tag, lot_id),',
        "tests/projections/test_ledger_entries_projection.py::test_a_shortfall_is_earned_when_it_is_paid",
    ),
    Patch(
        "secrets",
        "user and password of a referrer are stored",
        "adapters/inbound/http/request_headers.py",
        'rb"(?:[^/?#\\\\]*@)?"  # user info',
        'rb"((?:[^/?#\\\\]*@)?)"  # user info',
        "tests/adapters/http/test_app_headers.py",
    ),
    Patch(
        "P1",
        "an answer that is too large to pass on is given away",
        "application/generate/call_providers.py",
        "        if failure.unread_bytes:\n",
        "        if False:\n",
        "tests/adapters/http/test_who_pays.py",
    ),
    Patch(
        "P1",
        "an answer that is too large to pass on is asked of the next provider",
        "adapters/outbound/providers/failures.py",
        "fails_over = broken.error_class not in TOO_LARGE",
        "fails_over = True",
        "tests/contracts/test_chat_providers.py::test_an_answer_has_a_bound",
    ),
    Patch(
        "P1",
        "an event that is too large counts as nothing produced",
        "application/generate/stream_chat.py",
        "            self._produced.output_bytes += failure.unread_bytes\n",
        "",
        "tests/adapters/http/test_who_pays.py",
    ),
)
