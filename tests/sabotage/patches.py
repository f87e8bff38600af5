"""Ways to break each promise on purpose, and the test that must notice. Data only: adding one is adding a row."""

from typing import NamedTuple


class Patch(NamedTuple):
    """Replace `old`, which must occur exactly once in `file`, by `new`; then `test` must fail."""

    promise: str
    what: str
    file: str
    old: str
    new: str
    test: str


STORE = "tests/adapters/postgres"
APPEND_SQL = "migrations/0002_append.sql"

PATCHES = (
    Patch(
        "P1",
        "the end of a stream leaves before its settle",
        "application/generate/stream_chat.py",
        "return bool(chunk.data) and not self._last",
        "return bool(chunk.data)",
        "tests/adapters/http/test_chat_stream.py::test_P1_the_chunk_with_the_finish_reason_waits_for_the_settle",
    ),
    Patch(
        "P1",
        "a settle whose caller has gone is dropped",
        "adapters/outbound/postgres/pending.py",
        "return self.sheddable and not self.sent and self.future.cancelled()",
        "return self.future.cancelled()",
        f"{STORE}/test_append_backpressure.py::test_what_cannot_be_withdrawn_is_recorded_though_its_caller_left",
    ),
    Patch(
        "P2",
        "what open reservations hold counts as available",
        "domain/credit/lot.py",
        "thousand lots\n        return self.remaining_nusd - self.held_nusd",
        "thousand lots\n        return self.remaining_nusd",
        "tests/domain/test_credit_reserve.py",
    ),
    Patch(
        "P2",
        "an append on a stream that moved on is let through",
        APPEND_SQL,
        "least(s.expected, 0)) <> s.expected AS is_stale",
        "least(s.expected, 0)) < s.expected AS is_stale",
        f"{STORE}/test_append_credit_cap.py",
    ),
    Patch(
        "P3",
        "a reservation that has ended may be settled again",
        "domain/credit/evolve.py",
        "reservations=_without(state.reservations, reservation_id),",
        "reservations=state.reservations,",
        "tests/domain/test_credit_settle.py",
    ),
    Patch(
        "P4",
        "positions are drawn outside the head's lock",
        APPEND_SQL,
        "FROM ledger.head h FOR UPDATE;",
        "FROM ledger.head h;",
        f"{STORE}/test_append_positions.py::test_the_second_appender_waits_for_the_first_and_follows_it",
    ),
    Patch(
        "P4",
        "the digest leaves the tag out",
        APPEND_SQL,
        "|| int4send(octet_length(tag)) || convert_to(tag, 'UTF8')\n",
        "\n",
        f"{STORE}/test_append_positions.py::test_the_chain_covers_every_column",
    ),
    Patch(
        "P4",
        "a block is not chained to the one before",
        APPEND_SQL,
        "SELECT sha256(previous || int8send(first_position)",
        "SELECT sha256(int8send(first_position)",
        f"{STORE}/test_append_positions.py::test_the_chain_covers_every_column",
    ),
    Patch(
        "P4",
        "the log may be changed",
        "migrations/0001_ledger.sql",
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stored_events",
        "CREATE TRIGGER append_only BEFORE TRUNCATE ON ledger.stored_events",
        f"{STORE}/test_roles.py::test_not_even_the_owner_changes_the_log",
    ),
    Patch(
        "P5",
        "commands are not looked up before they are recorded",
        APPEND_SQL,
        "WHERE EXISTS (SELECT FROM ledger.commands k WHERE k.command_id = c.id)),",
        "WHERE false),",
        f"{STORE}/test_append_idempotency.py::test_the_same_command_again_returns_its_first_result",
    ),
    Patch(
        "P5",
        "a refusal is final before its command id was looked up",
        "adapters/outbound/postgres/decide_batch.py",
        "self.refusals[i] = refusal",
        "self.refusals[i] = refusal\n            pending.refuse(refusal)",
        f"{STORE}/test_append_idempotency.py::test_a_repeated_reserve_gets_its_reservation_though_the_credit_is_gone",
    ),
    Patch(
        "P5",
        "another input under a used id gets the first result",
        "adapters/outbound/postgres/recall_commands.py",
        "if seen.input_hash != pending.input_hash:",
        "if False:",
        f"{STORE}/test_append_idempotency.py::test_another_command_under_a_used_id_is_refused",
    ),
    Patch(
        "P6",
        "each line of a charge is rounded",
        "domain/pricing/rate.py",
        "round_half_even(sum(line.cost_fusd for line in lines))",
        "Nusd(sum(round_half_even(line.cost_fusd) for line in lines))",
        "tests/laws/test_pricing_laws.py",
    ),
    Patch(
        "P6",
        "the header tells another cost than the body",
        "adapters/inbound/http/chat_route.py",
        'format_usd(completed.cost_nusd).encode()),\n        (b"x-gatewayz-position"',
        'format_usd(completed.cost_nusd + 1).encode()),\n        (b"x-gatewayz-position"',
        "tests/adapters/http/test_openai_sdk.py",
    ),
    Patch(
        "keys",
        "a revoked key stays in the cache",
        "adapters/outbound/postgres/key_directory.py",
        "found = self._entries.pop(secret_hash, None)",
        "found = None",
        f"{STORE}/test_key_directory.py::test_a_key_that_ends_is_refused_everywhere_within_a_second",
    ),
    Patch(
        "keys",
        "a read model older than the revocation is trusted",
        "adapters/outbound/postgres/key_directory.py",
        "if found is None or not self._is_current(found):",
        "if found is None:",
        f"{STORE}/test_key_directory.py::test_a_key_that_ends_is_refused_everywhere_within_a_second",
    ),
)
