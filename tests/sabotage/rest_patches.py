"""Ways to keep an idle installation awake, or to let it sleep through what must wake it."""

from tests.sabotage.patch import Patch

SUPERVISE = "adapters/supervisor/supervise.py"
SERVER = "adapters/resting_server.py"
SUPERVISOR_TESTS = "tests/adapters/supervisor/test_rest.py"
SERVER_TESTS = "tests/adapters/http/server/test_resting_server.py"

REST_PATCHES = (
    Patch(
        "P8",
        "an idle supervisor polls",
        SUPERVISE,
        "LOOK_S = 1.0\n",
        "LOOK_S = 0.05\n",
        f"{SUPERVISOR_TESTS}::test_while_nothing_happens_it_wakes_once_a_second",
    ),
    Patch(
        "P8",
        "an idle server ticks",
        SERVER,
        "            await woken.wait()\n",
        "            while not self.should_exit:\n                await asyncio.sleep(0.1)\n",
        f"{SERVER_TESTS}::test_it_does_not_wake_while_nothing_is_asked",
    ),
    Patch(
        "P9",
        "a dead PostgreSQL waits for the supervisor's next look",
        "adapters/supervisor/light_sleep.py",
        "signal.set_wakeup_fd(waker, warn_on_full_buffer=False)",
        "signal.set_wakeup_fd(-1)",
        "tests/adapters/embedded/test_death_reported.py",
    ),
    Patch(
        "P9",
        "a start that is due waits for the supervisor's next look",
        SUPERVISE,
        "self._sleep_until(self._spare.due_s, *(child.due_s for child in self.children))",
        "self._sleep_until(self._spare.due_s)",
        f"{SUPERVISOR_TESTS}::test_a_start_that_has_to_wait_happens_in_time",
    ),
    Patch(
        "P9",
        "a stop does not wake a server that rests",
        SERVER,
        "        self._should_exit = is_set\n        self._wake()\n",
        "        self._should_exit = is_set\n",
        f"{SERVER_TESTS}::test_another_thread_stops_it_at_once",
    ),
    Patch(
        "operation",
        "a response has the date of the server's first one",
        SERVER,
        "if second != self._second:",
        "if self._second < 0:",
        f"{SERVER_TESTS}::test_a_response_has_the_date_at_which_it_is_sent",
    ),
)
