"""Ways to break what the fault tests on the whole gateway protect."""

from tests.sabotage.patch import Patch

FAULTS = "tests/faults"
KEYS = "tests/adapters/postgres/access/test_key_lookups.py"
LATE = "test_p1_p3_a_settle_that_waited_until_its_reservation_had_expired_reserves_anew"

FAULT_PATCHES = (
    Patch(
        "P2",
        "what was remembered before a new connection is decided on",
        "adapters/outbound/postgres/append/group_commit.py",
        "            self._cache.clear()\n            self._snapshots.forget()\n",
        "            self._snapshots.forget()\n",
        "tests/faults/test_append_restored.py::test_p2_a_state_that_the_log_no_longer_has_is_not_decided_on",
    ),
    Patch(
        "P4",
        "a snapshot of a log that was restored meanwhile is stored",
        "adapters/outbound/postgres/append/group_commit.py",
        "            self._cache.clear()\n            self._snapshots.forget()\n",
        "            self._cache.clear()\n",
        "tests/faults/test_append_restored.py::test_p4_a_snapshot_of_a_state_that_the_log_no_longer_has_is_not_stored",
    ),
    Patch(
        "keys",
        "keys of a log that was restored meanwhile are trusted",
        "adapters/outbound/postgres/read/follow_access.py",
        "            self._on_begin()\n",
        "",
        "tests/faults/test_serve_restored.py",
    ),
    Patch(
        "bounded",
        "a key that must be looked up is waited for without the setting's bound",
        "adapters/outbound/postgres/read/key_directory.py",
        "asyncio.create_task(self._look_up_in_time(secret_hash))",
        "asyncio.create_task(self._look_up(secret_hash))",
        "tests/faults/test_blackhole_database.py::test_p1_a_standstill_of_five_seconds_is_told_as_503",
    ),
    Patch(
        "keys",
        "a look-up from before a revocation is shared with who comes long after it",
        "adapters/outbound/postgres/read/key_directory.py",
        "if look_up is None or now_s - began_s >= SHARED_S:",
        "if look_up is None:",
        f"{KEYS}::test_who_comes_after_a_revocation_does_not_share_what_was_read_before_it",
    ),
    Patch(
        "bounded",
        "callers at once look one key up for each of them",
        "adapters/outbound/postgres/read/key_directory.py",
        "if look_up is None or now_s - began_s >= SHARED_S:",
        "if True:",
        f"{KEYS}::test_callers_at_once_share_a_look_up",
    ),
    Patch(
        "P1",
        "a process that is told to stop drops who has not been heard yet",
        "adapters/wiring/processes/draining_server.py",
        "        await asyncio.sleep(POLL_S)  # an accepted connection counts a few turns later\n"
        "        await _until(lambda: not any(map(_is_silent, self.server_state.connections)), _in(SPEAKS_WITHIN_S))\n",
        "",
        "tests/faults/test_graceful_stop.py",
    ),
    Patch(
        "P1",
        "the supervisor drops who waited for a process that hung",
        "adapters/wiring/processes/children.py",
        "            then=partial(_close_port, sock),\n",
        "",
        "tests/faults/test_graceful_stop.py",
    ),
    Patch(
        "P1",
        "the kernel accepts connections while the port is closed",
        "adapters/supervisor/close_port.py",
        "    accept_no_more(port)\n",
        "",
        "tests/adapters/supervisor/test_close_port.py",
    ),
    Patch(
        "P1",
        "a port is closed before a body was read, which resets the answer",
        "adapters/supervisor/close_port.py",
        "                    while await reader.read(READ_BYTES):",
        "                    while False:",
        "tests/adapters/supervisor/test_close_port.py",
    ),
    Patch(
        "P1",
        "an API process by itself drops who waited in its port's backlog",
        "adapters/wiring/commands/actions.py",
        "            close_own_port(sock)\n",
        "            sock.close()\n",
        "tests/e2e/test_serve_with_database_url.py::test_p1_an_api_process_by_itself_answers_who_still_connects_when_it_stops",
    ),
    Patch(
        "P3",
        "a settle that comes late is refused",
        "domain/credit/decide.py",
        "    if command.late is not None and state.may_settle_late(command.reservation_id, at):\n",
        "    if False:\n",
        f"{FAULTS}/test_sigstop.py::{LATE}",
    ),
    Patch(
        "P1",
        "a full disk is taken for the request's fault",
        "adapters/outbound/postgres/wire/ask_server.py",
        'PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58"})',
        'PASSING = frozenset({"08", "25", "40", "55", "57", "58"})',
        "tests/faults/test_disk_full.py",
    ),
    Patch(
        "P6",
        "a stream that breaks off does not tell its charge",
        "application/generate/stream_chat.py",
        "return broken_off(self._held, failure, charged, self._produced.raw_usage)",
        "return broken_off(self._held, failure, None, self._produced.raw_usage)",
        "tests/faults/test_provider_faults.py",
    ),
)
